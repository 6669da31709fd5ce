import { scope, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { holdAll } from "@chronograd/autodiff/testing";
import { linear, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  defineCell,
  elman,
  gru,
  gruResetBefore,
  initialParams,
  initialState,
  lstm,
  sequential,
  unroll,
  type Values,
} from "../src/index.ts";
import { cellLaws } from "../src/testing.ts";
import { type AnyParams, type AnyState, cells } from "./truncated/setup.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
type Rows = number[][];

/** `x W + b` for plain rows. */
function affine(x: Rows, W: Rows, b?: number[]): Rows {
  return x.map((row) =>
    W[0]!.map((_, j) =>
      row.reduce((sum, v, i) => sum + v * W[i]![j]!, b === undefined ? 0 : b[j]!),
    ),
  );
}

/** One step of every cell in plain numbers, from the published equations. */
const equations: Record<
  string,
  (
    p: Record<"W" | "U" | "b" | "bn", never>,
    x: Rows,
    s: Record<string, Rows>,
  ) => Record<string, Rows>
> = {
  elman: ({ W, U, b }, x, { h }) => {
    const [a, r] = [affine(x, W, b), affine(h!, U)];
    return { h: a.map((row, i) => row.map((v, j) => Math.tanh(v + r[i]![j]!))) };
  },
  relu: ({ W, U, b }, x, { h }) => {
    const [a, r] = [affine(x, W, b), affine(h!, U)];
    return { h: a.map((row, i) => row.map((v, j) => Math.max(0, v + r[i]![j]!))) };
  },
  lstm: ({ W, U, b }, x, { h, c }) => {
    const [a, r] = [affine(x, W, b), affine(h!, U)];
    const H = h![0]!.length;
    const gate = (i: number, j: number, k: number) => a[i]![k * H + j]! + r[i]![k * H + j]!;
    const cNext = c!.map((row, i) =>
      row.map(
        (v, j) => sigmoid(gate(i, j, 1)) * v + sigmoid(gate(i, j, 0)) * Math.tanh(gate(i, j, 2)),
      ),
    );
    return {
      c: cNext,
      h: cNext.map((row, i) => row.map((v, j) => sigmoid(gate(i, j, 3)) * Math.tanh(v))),
    };
  },
  gru: ({ W, U, b, bn }, x, { h }) => {
    const [a, u] = [affine(x, W, b), affine(h!, U)];
    const H = h![0]!.length;
    return {
      h: h!.map((row, i) =>
        row.map((v, j) => {
          const r = sigmoid(a[i]![j]! + u[i]![j]!);
          const z = sigmoid(a[i]![H + j]! + u[i]![H + j]!);
          const n = Math.tanh(a[i]![2 * H + j]! + r * (u[i]![2 * H + j]! + (bn as number[])[j]!));
          return (1 - z) * n + z * v;
        }),
      ),
    };
  },
  gruResetBefore: ({ W, U, b }, x, { h }) => {
    const [a, u] = [affine(x, W, b), affine(h!, U)];
    const H = h![0]!.length;
    const r = h!.map((row, i) => row.map((_, j) => sigmoid(a[i]![j]! + u[i]![j]!)));
    const reset = affine(
      h!.map((row, i) => row.map((v, j) => v * r[i]![j]!)),
      (U as Rows).map((row) => row.slice(2 * H)),
    );
    return {
      h: h!.map((row, i) =>
        row.map((v, j) => {
          const z = sigmoid(a[i]![H + j]! + u[i]![H + j]!);
          const n = Math.tanh(a[i]![2 * H + j]! + reset[i]![j]!);
          return (1 - z) * n + z * v;
        }),
      ),
    };
  },
};

const all = {
  ...cells,
  gruResetBefore: gruResetBefore({ input: 2, hidden: 3 }) as unknown as (typeof cells)[string],
};

describe.each(Object.entries(all))("%s", (name, cell) => {
  const setup = (seed: number, B: number) => {
    const random = rng(seed, "cells");
    const draw = (shape: readonly number[]) =>
      tensor(
        Float64Array.from({ length: shape.reduce((p, n) => p * n, 1) }, () => random.normal()),
        { shape },
      );
    const params = tree.map(initialParams(cell, rng(seed), { dtype: "float64" }), (x: Tensor) =>
      draw(x.shape),
    ) as AnyParams;
    const state = tree.map(initialState(cell, B, { dtype: "float64" }), (x: Tensor) =>
      draw(x.shape),
    ) as AnyState;
    return { params, state, x: draw([B, 2]), draw };
  };

  test("a step is its published equations", () => {
    fc.assert(
      fc.property(fc.nat(9999), fc.integer({ min: 1, max: 4 }), (seed, B) => {
        const { params, state, x } = setup(seed, B);
        const plain = (values: unknown) => tree.map(values, (t: Tensor) => t.toArray()) as never;
        const [output, next] = cell.step(params, x, state);
        const expected = equations[name]!(plain(params), x.toArray() as Rows, plain(state));
        tree.map(next, (t: Tensor, path) => {
          for (const [i, row] of (t.toArray() as Rows).entries()) {
            for (const [j, v] of row.entries()) expect(v).toBeCloseTo(expected[path]![i]![j]!, 12);
          }
        });
        expect(output.toArray()).toEqual((next as unknown as { h: Tensor }).h.toArray());
      }),
      { numRuns: 30 },
    );
  });

  test.each(cellLaws(cell, { input: 2 }))("$name", (law) => {
    holdAll(name, [law]).assert();
  });
});

describe("unroll", () => {
  test("throws for no steps and for a scalar", () => {
    const cell = elman({ input: 1, hidden: 1 });
    const params = initialParams(cell, rng(1));
    expect(() => unroll(cell, params, [])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unroll: expected at least one time step, got none]`,
    );
    expect(() => unroll(cell, params, tensor(1))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unroll: inputs must be time-major [T, B, ...], got a scalar]`,
    );
  });
});

describe("definitions", () => {
  test("bad sizes and options throw a sentence", () => {
    expect(() => lstm({ input: 0, hidden: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lstm: size input must be a whole number of at least 1, got 0]`,
    );
    expect(() => elman({ input: 1, hidden: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: elman: size hidden must be a whole number of at least 1, got 1.5]`,
    );
    expect(() =>
      elman({ input: 1, hidden: 1, activation: "sin" as "tanh" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: elman: activation must be "tanh" or "relu", got "sin"]`,
    );
    expect(() => initialState(lstm({ input: 1, hidden: 1 }), 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: initialState: batch must be a whole number of at least 1, got 0]`,
    );
    expect(() =>
      lstm(3 as unknown as { input: number; hidden: number }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: lstm: expected sizes by name, such as { input: 3, hidden: 5 }, got 3]`,
    );
    expect(() =>
      unroll(lstm({ input: 1, hidden: 1 }), {} as never, undefined as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: unroll: inputs must be a time-major tensor or an array of steps, got undefined]`,
    );
    expect(() => sequential({})).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sequential: expected at least one part, got none]`,
    );
  });

  test("types of parameters, states and outputs are inferred", () => {
    const cell = defineCell({
      params: ({ input, hidden }) => ({
        W: linear({ inputs: input, outputs: hidden }).params.W,
        rates: [gate(hidden)],
      }),
      state: ({ hidden }) => ({ memory: { fast: gate(hidden) } }),
      step: ({ W, rates }, x, { memory }) => {
        expectTypeOf(W).toEqualTypeOf<Tensor>();
        expectTypeOf(rates).toEqualTypeOf<Tensor[]>();
        expectTypeOf(memory.fast).toEqualTypeOf<Tensor>();
        const fast = x.matmul(W).add(memory.fast.mul(rates[0]!));
        return [{ y: fast }, { memory: { fast } }];
      },
    })({ input: 2, hidden: 3 });
    const params = initialParams(cell, rng(1));
    expectTypeOf(params).toEqualTypeOf<{ W: Tensor; rates: Tensor[] }>();
    const { outputs } = unroll(cell, params, tensor([[[1, 2]], [[3, 4]]]));
    expect(outputs.y.shape).toEqual([2, 1, 3]);
  });

  test("sequential gives trees by name, and runs the parts in order", () => {
    const model = sequential({
      first: elman({ input: 2, hidden: 3 }),
      second: gru({ input: 3, hidden: 4 }),
      head: linear({ inputs: 4, outputs: 1 }),
    });
    const params = initialParams(model, rng(1));
    expectTypeOf(params.first.W).toEqualTypeOf<Tensor>();
    const state = initialState(model, 2);
    expect(state.second.h.shape).toEqual([2, 4]);
    const [y, next] = model.step(
      params as Values<typeof model.params>,
      tensor([
        [1, 2],
        [3, 4],
      ]),
      state,
    );
    expect(y.shape).toEqual([2, 1]);
    expect(next.first.h.shape).toEqual([2, 3]);
  });

  test("a watched tree gives a gradient by path", () => {
    scope(() => {
      const cell = lstm({ input: 1, hidden: 2 });
      const tape = new Tape();
      const watched = tape.watch(initialParams(cell, rng(1)));
      const { outputs } = unroll(cell, watched, tensor([[[1]], [[2]]]));
      expect(tape.gradient(outputs.sum(), watched).b.shape).toEqual([8]);
    });
  });
});

const gate = (hidden: number) => ({
  shape: [hidden],
  draw: () => new Float64Array(hidden).fill(0.5),
});
