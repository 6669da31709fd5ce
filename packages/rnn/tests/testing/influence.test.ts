import { tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { lstm } from "../../src/index.ts";
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

  test.each(Object.entries(loops))("%s", (_name, [model, kinds, op]) => {
    const { influences } = checkInfluence(model, batch);
    expect([...new Set(influences.map((each) => each.kind))]).toEqual(kinds);
    expect(influences[0]!.site?.op).toBe(op);
  });
});

describe("the report", () => {
  test("says what depends on what, by which op, and what the batch could not show", () => {
    const [batchNorm] = cells["batch normalisation"]!;
    const report = checkInfluence(batchNorm, { inputs }, { name: "batch norm" });
    expect(stable(report)).toMatchInlineSnapshot(`
      "batch norm, 3 rows, 5 steps: 3 leaks
        ok    earlier calls   1 change, 170 numbers
        LEAKS other rows      3 changes, 90 numbers
          the output of row 0 at step 1 depends on row 1 at step 1: sum [3,5] -> [5] (entry 13), time step 1
          the output of row 1 at step 1 depends on row 0 at step 1: sum [3,5] -> [5] (entry 13), time step 1
          the output of row 2 at step 1 depends on row 0 at step 1: sum [3,5] -> [5] (entry 13), time step 1
        none  padding         the batch has no padding: give lengths or a mask
        none  before a reset  the batch has no resets
        ok    later inputs    4 changes, 1030 numbers"
    `);
    expect(() => report.assert()).toThrow(/batch norm, 3 rows, 5 steps: 3 leaks/);
    expect(report.influences[0]!.site!.line!.file).toMatch(/leaking\.ts$/);
  });

  test.each([
    "a mask that multiplies the state",
    "a reset that multiplies",
    "a reset that keeps the gradient",
    "the input of the next step",
  ])("%s", (name) => {
    const [model] = loops[name]!;
    expect(stable(checkInfluence(model, batch))).toMatchSnapshot();
  });

  test("names the part of the model", () => {
    const [leak] = checkInfluence(cells["a detached mean of the batch"]![0], { inputs }).influences;
    expect(leak).toMatchObject({ kind: "other rows", of: "the output", row: 0, t: 1, rows: [1] });
  });
});

test("later inputs may matter where causal is false", () => {
  const backwards = loop({ at: (t, T) => T - 1 - t });
  const inputsAlone = { inputs };
  expect(checkInfluence(backwards, inputsAlone).ok).toBe(false);
  checkInfluence(backwards, inputsAlone, { causal: false }).assert();
});

test("a hundred units, four rows and ten steps take well below a second", () => {
  const cell = lstm({ input: 100, hidden: 100 });
  const random = rng(1);
  const elements = Float64Array.from({ length: 4000 }, () => random.normal());
  const given = { inputs: tensor(elements, { shape: [10, 4, 100] }) };
  checkInfluence(cell, given);
  const before = performance.now();
  checkInfluence(cell, given).assert();
  expect(performance.now() - before).toBeLessThan(1000);
});

describe("what does not fit throws a sentence", () => {
  test.each<[string, () => unknown]>([
    ["no model", () => checkInfluence(undefined as never, { inputs })],
    ["a family for a cell", () => checkInfluence(lstm as never, { inputs })],
    ["no batch", () => checkInfluence(right, undefined as never)],
    ["a tensor for a batch", () => checkInfluence(right, inputs as never)],
    ["no inputs", () => checkInfluence(right, {} as never)],
    ["inputs without steps", () => checkInfluence(right, { inputs: [] })],
    ["inputs without rows", () => checkInfluence(right, { inputs: zeros([3]) })],
    ["a misspelt mark", () => checkInfluence(right, { inputs, length: [1] } as never)],
    ["a misspelt option", () => checkInfluence(right, { inputs }, { casual: false } as never)],
    ["causal as text", () => checkInfluence(right, { inputs }, { causal: "no" } as never)],
    ["half a seed", () => checkInfluence(right, { inputs }, { seed: 0.5 })],
    ["inputs of other columns", () => checkInfluence(right, { inputs: zeros([2, 3, 7]) })],
  ])("%s", (_what, act) => {
    expect(act).toThrowErrorMatchingSnapshot();
  });
});
