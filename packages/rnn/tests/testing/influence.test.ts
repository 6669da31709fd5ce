import { full, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { embedding, init, linear, type Rng, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  bidirectional,
  gru,
  learnedState,
  lstm,
  sequential,
  stacked,
  unroll,
  variationalDropout,
  weightDrop,
  zoneout,
} from "../../src/index.ts";
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

const drop = (random: Rng) => Float64Array.from({ length: 5 }, () => random.integer(0, 2));

describe("what does not leak", () => {
  test.each(cellTable().map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const steps = Array.from({ length: 5 }, (_, t) => row.input(rng(1, `${t}`), 3));
    checkInfluence(row.make(), { inputs: steps }).assert();
  });

  test.each(cellTable().map((row) => [row.name, row] as const))(
    "%s, with padding and resets",
    (_name, row) => {
      const steps = Array.from({ length: 5 }, (_, t) => row.input(rng(2, `${t}`), 3));
      const { mask, resets } = batch;
      checkInfluence(row.make(), { inputs: steps, mask, resets, lengths: [5, 0, 4] }).assert();
    },
  );

  test("a model with an embedding, a head, and parts in a learned state", () => {
    const model = sequential({
      embedding: embedding({ input: 7, output: 2 }),
      cell: lstm({ input: 2, hidden: 3 }),
      head: linear({ input: 3, output: 7 }),
    });
    const random = rng(1);
    const symbols = Int32Array.from({ length: 15 }, () => random.integer(0, 7));
    const { mask, resets } = batch;
    checkInfluence(model, { inputs: tensor(symbols, { shape: [5, 3] }), mask, resets }).assert();
    const learned = {
      ...right,
      params: { ...right.params, first: init.normal(1, 5) },
      initial: ({ first }: { first: Tensor }, rows: number) => ({
        h: first.broadcastTo([rows, 5]),
      }),
    };
    checkInfluence(learned as unknown as typeof right, batch).assert();
  });

  test("a model that draws noise: the same in all runs", () => {
    const noisy = {
      ...right,
      noise: {
        keep: { shape: [5], per: "window", rows: true, draw: drop },
        step: { shape: [5], per: "step", rows: false, draw: drop },
      },
      step: (params: never, x: Tensor, state: { h: Tensor }, noise?: Record<string, Tensor>) => {
        const [, { h }] = right.step(params, x, state);
        const next = noise === undefined ? h : h.mul(noise.keep!).add(noise.step!);
        return [next, { h: next }] as const;
      },
    };
    checkInfluence(noisy as unknown as typeof right, batch).assert();
  });

  test("a context: each row has its own", () => {
    const attending = {
      ...right,
      step: (params: never, { x, context }: { x: Tensor; context: Tensor }, state: { h: Tensor }) =>
        right.step(params, x.add(context.mean(1)), state),
    } as unknown as typeof right;
    const context = tensor(inputs.toTypedArray(), { shape: [3, 5, 2] });
    checkInfluence(attending, { ...batch, context }).assert();
    const mixing = {
      ...attending,
      step: (params: never, { x, context }: { x: Tensor; context: Tensor }, state: { h: Tensor }) =>
        right.step(params, x.add(context.mean([0, 1])), state),
    } as unknown as typeof right;
    const { influences } = checkInfluence(mixing, { ...batch, context });
    expect([...new Set(influences.map(({ kind }) => kind))]).toEqual(["other rows"]);
  });

  test("a batch whose padding is NaN, and one of zeros", () => {
    const elements = inputs.toTypedArray();
    const isThere = batch.mask.toTypedArray();
    for (let i = 0; i < 30; i++) if (isThere[i >> 1] === 0) elements[i] = Number.NaN;
    checkInfluence(right, { ...batch, inputs: tensor(elements, { shape: [5, 3, 2] }) }).assert();
    checkInfluence(right, { inputs: zeros([5, 3, 2]) }).assert();
    const [cell] = cells["a detached mean of the batch"]!;
    expect(checkInfluence(cell, { inputs: zeros([5, 3, 2]) }).ok).toBe(false);
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
        ok    later inputs    4 changes, 880 numbers"
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

const sizes = { input: 2, hidden: 3 };
const scanned = cellTable().filter(({ family }) => ["lru", "minGru", "minLstm"].includes(family));

describe("what is made of cells does not leak", () => {
  test.each(scanned.map((row) => [row.name, row] as const))(
    "%s, all steps at once",
    (_name, row) => {
      const cell = row.make();
      const model = {
        params: cell.params,
        state: cell.state,
        unroll: (params: never, xs: readonly Tensor[], options: object) =>
          unroll(cell, params, xs, { ...options, parallel: true }),
      } as unknown as typeof cell;
      const steps = Array.from({ length: 5 }, (_, t) => row.input(rng(2, `${t}`), 3));
      checkInfluence(model, { ...batch, inputs: steps }).assert();
    },
  );

  test.each<[string, unknown]>([
    ["stacked", stacked([gru(sizes), lstm({ input: 3, hidden: 3 })], { residual: true })],
    ["stacked with dropout", stacked([gru(sizes), gru({ ...sizes, input: 3 })], { dropout: 0.5 })],
    ["a learned state", learnedState(lstm(sizes))],
    ["zoneout", zoneout(lstm(sizes), { rate: 0.5 })],
    ["variational dropout", variationalDropout(gru(sizes), { rate: 0.5 })],
    ["weight drop", weightDrop(lstm(sizes), { rate: 0.5, names: ["U"] })],
  ])("%s", (_name, model) => {
    checkInfluence(model as typeof right, batch).assert();
  });

  test("two directions, where causal is false", () => {
    const model = bidirectional(gru(sizes));
    checkInfluence(model, batch, { causal: false }).assert();
    const kinds = checkInfluence(model, batch).influences.map(({ kind }) => kind);
    expect(kinds).toContain("later inputs");
  });
});

test("later inputs may matter where causal is false", () => {
  const backwards = loop({ at: (t, T) => T - 1 - t });
  const inputsAlone = { inputs };
  expect(checkInfluence(backwards, inputsAlone).ok).toBe(false);
  checkInfluence(backwards, inputsAlone, { causal: false }).assert();
});

test("four rows and ten steps need 32 runs", () => {
  let steps = 0;
  const counted = {
    ...right,
    step: (...given: Parameters<typeof right.step>) => {
      steps++;
      return right.step(...given);
    },
  };
  checkInfluence(counted, { inputs: zeros([10, 4, 2]) }).assert();
  // As it is and again; three changes of each of four rows; two after each of nine steps.
  expect(steps).toBe(10 * (2 + 3 * 4 + 2 * 9));
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
    [
      "inputs that are infinite",
      () => checkInfluence(right, { inputs: full([5, 3, 2], Infinity, { dtype: "float64" }) }),
    ],
    ["marks that are no tensor", () => checkInfluence(right, { inputs, mask: [[1]] } as never)],
    ["lengths beyond the steps", () => checkInfluence(right, { inputs, lengths: [6, 1, 1] })],
    ["inputs of other columns", () => checkInfluence(right, { inputs: zeros([2, 3, 7]) })],
  ])("%s", (_what, act) => {
    expect(act).toThrowErrorMatchingSnapshot();
  });
});
