import { execFile } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { vegaTasks } from "../src/series.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const run = (cwd: string, ...words: string[]) =>
  promisify(execFile)(
    process.execPath,
    ["--experimental-strip-types", "--conditions=@chronograd/source", main, ...words],
    { cwd },
  );

describe("the example of forecasting", () => {
  test("its smoke run says so, beats seasonal-naive, and leaves a report with pictures", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "forecasting-"));
    const { stdout, stderr } = await run(cwd, "--smoke", "--json", "--name", "a");
    expect(stderr).toMatch(/^Smoke mode/);
    const { example, figures, seed } = JSON.parse(stdout);
    expect([example, seed]).toEqual(["forecasting", 1]);
    expect(figures[0].value).toBeLessThan(figures[0].baselines["seasonal-naive"]);
    for (const name of ["report.html", "load.svg", "metrics.jsonl"]) {
      expect(existsSync(join(cwd, "runs/a", name))).toBe(true);
    }
    await expect(run(cwd, "--data", "nowhere")).rejects.toMatchObject({
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
