import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../../scratch.ts";

const { folder, run } = scratch(import.meta.dirname);

test("a smoke run learns the bars by rows, and makes the table of k2", async () => {
  const { stdout } = await run("--smoke", "--name", "a", "--json");
  const { example, figures } = JSON.parse(stdout);
  expect(example).toBe("images");
  const [rows, pixels] = figures;
  expect(rows.value).toBeGreaterThan(2 * rows.baselines["most frequent class"]);
  expect(Object.keys(pixels.baselines)).toEqual(["k2 = 14", "k2 = 49", "k2 = 98"]);
  const report = readFileSync(join(folder, "runs/a/report.html"), "utf8");
  expect(report.match(/<svg/g)).toHaveLength(2);
});
