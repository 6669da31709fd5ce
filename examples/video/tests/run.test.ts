import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../../scratch.ts";
import { labelsOf } from "../src/report.ts";

const { folder, run } = scratch(import.meta.dirname);

test("a smoke run says what it is, and leaves figures, pictures and a checkpoint", async () => {
  const { stdout, stderr } = await run("--smoke", "--json", "--name", "first");
  expect(stderr).toContain("rings and bars in place of digits");
  const { example, figures, seed } = JSON.parse(stdout);
  expect([example, seed]).toEqual(["video", 1]);
  const [{ value, better, baselines }] = figures;
  expect(Object.keys(baselines)).toContain("last frame");
  for (const error of [value, ...Object.values(baselines)]) expect(error).toBeGreaterThan(0);
  expect(better).toBe("lower");
  const at = join(folder, "runs", "first");
  const files = readdirSync(at);
  for (const file of ["metrics.jsonl", "model.safetensors", "picture.svg", "report.html"]) {
    expect(files).toContain(file);
  }
  expect(readFileSync(join(at, "report.html"), "utf8").match(/<svg/g)!.length).toBeGreaterThan(2);
});

test("names stand at the ends of their curves, a line of text apart", () => {
  const ends = { a: 32, b: 80, c: 31, d: 33, e: 60 };
  const points = Object.entries(ends).flatMap(([name, error]) => [
    { name, ahead: 1, error: 90 },
    { name, ahead: 2, error },
  ]);
  const line = 90 / 16;
  expect(labelsOf(points).map(({ name, ahead, error }) => [name, ahead, error])).toEqual([
    ["c", 2, 31],
    ["a", 2, 31 + line],
    ["d", 2, 31 + 2 * line],
    ["e", 2, 60],
    ["b", 2, 80],
  ]);
});
