import { detach, ones, scope, Tape, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { init, initialize, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { attentionCell, initialParams, initialState, truncated, unroll } from "../src/index.ts";
import { testCell } from "../src/testing.ts";

const sizes = { input: 2, hidden: 3, context: 4 };
const cell = attentionCell(sizes);
const params = initialParams(cell, rng(1), { dtype: "float64" });
const normal = (seed: number, ...shape: number[]) =>
  initialize(init.normal(1, ...shape), rng(seed), { dtype: "float64" });
const lengths = [3, 0, 5, 1];
const mask = tensor(
  lengths.map((length) => [0, 1, 2, 3, 4].map((s) => (s < length ? 1 : 0))),
  { dtype: "int32" },
);
const xs = Array.from({ length: 3 }, (_, t) => normal(10 + t, 4, 2));

/** The gradient of a random sum of all that three steps give, by parameters, inputs and values. */
function run(rows: readonly Tensor[], values: Tensor, given?: Tensor) {
  return scope(() => {
    const tape = new Tape();
    const watched = tape.watch({ params, rows, values });
    const context = { values: watched.values, ...(given && { mask: given }) };
    const inputs = watched.rows.map((x) => ({ x, context }));
    const { outputs, state } = unroll(cell, watched.params, inputs);
    const loss = outputs.output.mul(outputs.output.add(1)).sum().add(state.c.sum());
    const all = [loss, outputs.weights.square().sum()];
    const gradients = tape.gradient(all, watched);
    return { outputs: tree.map(outputs, (y: Tensor) => detach(y)) as typeof outputs, gradients };
  });
}

const toNumbers = (nested: unknown) =>
  tree.leavesWithPath(nested).map(([path, x]) => [path, x.toArray()]);

describe("attention over what a mask leaves", () => {
  const values = normal(2, 4, 5, 4);
  const found = run(xs, values, mask);

  test("a row attends over its own positions as if there were no others", () => {
    for (const [row, length] of lengths.entries()) {
      if (length === 0) continue;
      const own = values.slice([
        [row, row + 1],
        [0, length],
      ]);
      const alone = run(
        xs.map((x) => x.slice([[row, row + 1]])),
        own,
      );
      const { output, weights } = found.outputs;
      expect(output.slice([null, [row, row + 1]]).toArray()).toEqual(
        alone.outputs.output.toArray(),
      );
      const [its, rest] = weights.slice([null, [row, row + 1]]).split([length, 5 - length], -1);
      expect(its!.toArray()).toEqual(alone.outputs.weights.toArray());
      expect([...rest!.toTypedArray()].every((w) => w === 0)).toBe(true);
      const sums = its!.sum(-1).toTypedArray();
      for (const sum of sums) expect(sum).toBeCloseTo(1, 14);
      const g = found.gradients.values.slice([[row, row + 1]]);
      // The sums over positions may be added up in another order.
      const off = g
        .slice([null, [0, length]])
        .sub(alone.gradients.values)
        .abs()
        .max()
        .item();
      expect(off).toBeLessThan(1e-14);
    }
  });

  test("a row without any reads zeros, forwards and backwards", () => {
    const { outputs, gradients } = run(
      xs.map((x) => x.slice([[1, 2]])),
      zeros([1, 5, 4], { dtype: "float64" }),
    );
    expect(found.outputs.output.slice([null, [1, 2]]).toArray()).toEqual(outputs.output.toArray());
    for (const [t, g] of gradients.rows.entries()) {
      expect(found.gradients.rows[t]!.slice([[1, 2]]).toArray()).toEqual(g.toArray());
    }
    for (const x of [found.outputs.weights.slice([null, 1]), found.gradients.values.slice([1])]) {
      expect([...x.toTypedArray()].every((value) => value === 0)).toBe(true);
    }
  });

  test.each([Number.NaN, Infinity, -1e308])("%d there reaches nothing", (garbage) => {
    const spoilt = Float64Array.from(values.toTypedArray(), (value, i) => {
      const [row, s] = [Math.floor(i / 20), Math.floor(i / 4) % 5];
      return s < lengths[row]! ? value : garbage;
    });
    const other = run(xs, tensor(spoilt, { shape: [4, 5, 4] }), mask);
    expect(toNumbers(other)).toEqual(toNumbers(found));
  });
});

test("without a mask it holds all laws, in plans too", () => {
  const input = (random: { normal(): number }, rows: number) => {
    const drawn = (...shape: number[]) => {
      const length = shape.reduce((n, each) => n * each, 1);
      return tensor(
        Float64Array.from({ length }, () => random.normal()),
        { shape },
      );
    };
    return { x: drawn(rows, 2), context: { values: drawn(rows, 3, 4) } };
  };
  testCell(cell, { input, runs: 1 }).assert();
  const context = { values: normal(3, 4, 5, 4), mask };
  const steps = xs.map((x) => ({ input: { x, context }, target: null }));
  const gradients = [false, true].map((compile) => {
    const loss = (y: { output: Tensor; weights: Tensor }) =>
      y.output.sum().add(y.weights.square().sum());
    const windows = truncated(cell, params, steps, { k1: 1, k2: 2, compile, loss });
    return Array.from(windows, (window) => toNumbers(window.gradients));
  });
  expect(gradients[1]).toEqual(gradients[0]);
});

test("any mark but 0 is that of a position", () => {
  const values = normal(2, 4, 5, 4);
  expect(toNumbers(run(xs, values, mask.mul(-3)))).toEqual(toNumbers(run(xs, values, mask)));
});

test("a context of no positions reads zeros; a context that does not fit is refused", () => {
  const state = initialState(cell, 2, { dtype: "float64" });
  const double = { dtype: "float64" } as const;
  const x = ones([2, 2], double);
  const step = (context: unknown) => cell.step(params, { x, context } as never, state)[0];
  const { output, weights } = step({ values: zeros([2, 0, 4], double) });
  expect(weights.shape).toEqual([2, 0]);
  const empty = step({ values: zeros([2, 1, 4], double) });
  expect(output.toArray()).toEqual(empty.output.toArray());
  const values = zeros([2, 3, 4], double);
  expect(() => step(undefined)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: attentionCell: context.values must be [2, S, 4], a row of the context for each position of each row of the batch, got undefined]`,
  );
  expect(() => step(values)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: attentionCell: context.values must be [2, S, 4], a row of the context for each position of each row of the batch, got undefined]`,
  );
  expect(() => step({ values: zeros([2, 4], double) })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: attentionCell: context.values must be [2, S, 4], a row of the context for each position of each row of the batch, got [2,4]]`,
  );
  expect(() => step({ values: zeros([2, 3, 5], double) })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: attentionCell: context.values must be [2, S, 4], a row of the context for each position of each row of the batch, got [2,3,5]]`,
  );
  expect(() => step({ values: zeros([1, 3, 4], double) })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: attentionCell: the input "context.values" [1,3,4] has 1 row, and the state "h" [2,3] has 2; where all rows share it, say so with broadcastTo([2,3,4])]`,
  );
  expect(() => step({ values, mask: ones([2, 3], double) })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: attentionCell: context.mask must be int32 [2,3], 1 where a row has a position, got float64 [2,3]]`,
  );
  const wide = ones([2, 1], { dtype: "int32" });
  expect(() => step({ values, mask: wide })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: attentionCell: context.mask must be int32 [2,3], 1 where a row has a position, got int32 [2,1]]`,
  );
  expect(() => step({ values, masks: wide })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: attentionCell: context: there is no option "masks", did you mean "mask"? It takes values, mask]`,
  );
  expect(() => attentionCell({ input: 2, hidden: 3 } as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: attentionCell: the definition needs the size context, got input, hidden]`,
  );
});
