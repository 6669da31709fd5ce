import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../../scratch.ts";

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
