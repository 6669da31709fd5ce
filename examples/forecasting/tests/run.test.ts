import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratch } from "../../scratch.ts";
import { vegaTasks } from "../src/series.ts";

const { folder, run } = scratch(import.meta.dirname);

describe("the example of forecasting", () => {
  test("its smoke run says so, beats seasonal-naive, and leaves a report with pictures", async () => {
    const { stdout, stderr } = await run("--smoke", "--json", "--name", "a");
    expect(stderr).toMatch(/^Smoke mode/);
    const { example, figures, seed } = JSON.parse(stdout);
    expect([example, seed]).toEqual(["forecasting", 1]);
    expect(figures[0].value).toBeLessThan(figures[0].baselines["seasonal-naive"]);
    for (const name of ["report.html", "load.svg", "metrics.jsonl"]) {
      expect(existsSync(join(folder, "runs/a", name))).toBe(true);
    }
    expect(await run("--data", "nowhere")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /nowhere has no seattle-weather.csv; `npm install vega-datasets`/,
      ),
    });
  });

  test("reads the files as they are: their lengths, ends and parts", async () => {
    const [weather, carbon] = await vegaTasks(undefined);
    const { temp_max } = weather!.series.values;
    expect([temp_max!.length, temp_max![0], temp_max!.at(-1)]).toEqual([1461, 12.8, 5.6]);
    expect([weather!.validation, weather!.test]).toEqual([731, 1096]);
    const { CO2 } = carbon!.series.values;
    expect([CO2!.length, CO2![0], CO2!.at(-1), carbon!.series.filled]).toEqual([
      746, 315.7, 416.18, 5,
    ]);
    expect([carbon!.validation, carbon!.test]).toEqual([502, 622]);
  });
});
