import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "../src/main.ts");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chronograd-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a smoke run says what it is, and leaves figures, pictures and a checkpoint", async () => {
  const conditions = ["--conditions=@chronograd/source", "--no-warnings"];
  const args = [...conditions, main, "--smoke", "--json", "--name", "first"];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder });
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
