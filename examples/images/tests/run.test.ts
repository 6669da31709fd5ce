import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "../src/main.ts");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chronograd-images-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a smoke run learns the bars by rows, and makes the table of k2", async () => {
  const words = [main, "--smoke", "--name", "a", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: folder });
  const { example, figures } = JSON.parse(stdout);
  expect(example).toBe("images");
  const [rows, pixels] = figures;
  expect(rows.value).toBeGreaterThan(2 * rows.baselines["most frequent class"]);
  expect(Object.keys(pixels.baselines)).toEqual(["k2 = 14", "k2 = 49", "k2 = 98"]);
  const report = readFileSync(join(folder, "runs/a/report.html"), "utf8");
  expect(report.match(/<svg/g)).toHaveLength(2);
});
