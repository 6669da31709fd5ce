import { readdirSync } from "node:fs";
import { scope, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { holdAll } from "@chronograd/autodiff/testing";
import { linear, rng } from "@chronograd/nn";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  defineCell,
  elman,
  gru,
  initialParams,
  initialState,
  lstm,
  sequential,
  unroll,
  type Values,
} from "../src/index.ts";
import { cellLaws, cellTable } from "../src/testing.ts";
import { formulaLaws } from "./formulaLaws.ts";

describe.each(cellTable().map((row) => [row.name, row] as const))("%s", (name, row) => {
  const laws = [...formulaLaws(row), ...cellLaws(row.make(), { input: row.input })];
  test.each(laws)("$name", (law) => {
    holdAll(name, [law]).assert();
  });
});

test("every built-in cell is listed, and its values are stated twice", () => {
  const files = readdirSync(new URL("../src/cells", import.meta.url));
  const listed = new Set(cellTable().map(({ family }) => `${family}.ts`));
  expect(files.filter((file) => file !== "index.ts")).toEqual([...listed]);
  for (const row of cellTable()) {
    const isStated = formulaLaws(row).length > 0 || row.make().equations !== undefined;
    expect(isStated, `${row.name} needs equations, or a formula in tests/cells`).toBe(true);
  }
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
      `[TypeError: unroll: inputs must be time-major tensors or an array of steps, got undefined]`,
    );
    expect(() => sequential({})).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sequential: expected at least one part, got none]`,
    );
  });

  test("types of parameters, states and outputs are inferred", () => {
    const cell = defineCell({
      params: ({ input, hidden }) => ({
        W: linear({ input: input, output: hidden }).params.W,
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
      head: linear({ input: 4, output: 1 }),
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
