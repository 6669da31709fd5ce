import { type Tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { type Cell, lstm } from "../../src/index.ts";
import { cellTable, checkInfluence } from "../../src/testing.ts";
import { batchOf, cells, loop, loops, right } from "./leaking.ts";

const batch = batchOf();
const { inputs } = batch;

/** A report without lines of files and the digits of numbers. */
function stable(report: unknown): string {
  return String(report)
    .replace(/, at \S+( \(called at \S+\))?/g, "")
    .replace(/-?\d+\.\d{5,}(?:e[+-]?\d+)?/g, (x) => Number(x).toPrecision(4));
}

describe("what does not leak", () => {
  test.each(cellTable().map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const steps = Array.from({ length: 5 }, (_, t) => row.input(rng(1, `${t}`), 3));
    checkInfluence(row.make(), { inputs: steps }).assert();
  });

  test("a loop that selects", () => {
    const report = checkInfluence(loop(), batch);
    report.assert();
    expect(report.results.map(({ changes }) => changes)).toEqual([1, 3, 1, 1, 4]);
  });
});

describe("what leaks is found, with its op", () => {
  test.each(Object.entries(cells))("%s", (_name, [cell, op]) => {
    const { ok, influences } = checkInfluence(cell, { inputs });
    expect(ok).toBe(false);
    expect(influences[0]!.site?.op).toBe(op);
    expect(influences[0]!.site?.t).toBe(influences[0]!.t);
  });

  test.each(Object.entries(loops))("%s", (_name, [model, kind, op]) => {
    const { influences } = checkInfluence(model, batch);
    expect([...new Set(influences.map((each) => each.kind))]).toEqual([kind]);
    expect(influences[0]!.site?.op).toBe(op);
  });
});
