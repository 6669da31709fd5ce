import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseOptions } from "../options.ts";
import { merged, type Results, taskResult } from "../results.ts";
import { table } from "../table.ts";

const folder = mkdtempSync(join(tmpdir(), "chronograd-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const main = join(import.meta.dirname, "../main.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test("a smoke run trains with every estimator, and writes what it is told to", async () => {
  const out = join(folder, "results.json");
  const { code, stderr, stdout } = await run("--smoke", "--only", "parity", "--out", out);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const { tasks } = JSON.parse(readFileSync(out, "utf8")) as Results;
  const [{ name, baseline, cells }] = tasks as [Results["tasks"][number]];
  expect([name, baseline]).toEqual(["parity", 0.5]);
  const row = table.find((each) => each.name === "parity")!;
  expect(cells.map(({ estimator }) => estimator)).toEqual(row.estimators.map((each) => each.name));
  for (const { estimator, failure, updates, curve } of cells) {
    expect(failure, estimator).toBeUndefined();
    expect(updates, estimator).toBeGreaterThan(0);
    expect(curve.at(-1)!.batches, estimator).toBe(2);
    expect(stdout).toContain(estimator);
  }
});

test("a mistake in the call is said in a sentence", () => {
  expect(() => parseOptions(["--only", "party"])).toThrowErrorMatchingInlineSnapshot(
    `[Error: --only: expected some of adding, adding-short, copying, xor, tomita, dyck, parity, lag-60, flossing, got party]`,
  );
  expect(() => parseOptions(["--seed=-1"])).toThrowErrorMatchingInlineSnapshot(
    `[Error: --seed must be a whole number of at least 0, got -1]`,
  );
  expect(() => parseOptions(["--sed", "1"])).toThrowErrorMatchingInlineSnapshot(
    `[Error: Unknown option '--sed']`,
  );
});

test("results of a part take the place of what stood there, and leave the rest", () => {
  const row = table.find(({ name }) => name === "parity")!;
  const cell = (estimator: string, figure: number) => ({
    ...{ estimator, figure, date: "", seed: 1, isSolved: false },
    ...{ curve: [], updates: 0, seconds: 0, peakBytes: 0 },
  });
  const of = (...cells: ReturnType<typeof cell>[]): Results => ({
    machine: { cpu: "", cores: 1, memory_gib: 1, os: "", node: "", versions: {} },
    tasks: [taskResult(row, cells)],
  });
  const both = merged(of(cell("RTRL", 0.5), cell("full BPTT", 0.6)), of(cell("RTRL", 0.9)), table);
  const found = both.tasks[0]!.cells.map(({ estimator, figure }) => [estimator, figure]);
  expect(found).toEqual([
    ["full BPTT", 0.6],
    ["RTRL", 0.9],
  ]);
});
