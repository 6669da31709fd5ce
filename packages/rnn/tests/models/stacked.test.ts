import { grad, type Tensor } from "@chronograd/autodiff";
import { checkGradients, holdAll } from "@chronograd/autodiff/testing";
import { linear, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  bidirectional,
  elman,
  gru,
  initialParams,
  initialState,
  lstm,
  sequential,
  stacked,
  truncated,
  unroll,
} from "../../src/index.ts";
import { cells } from "../../src/testing/fast-check.ts";
import { cellLaws } from "../../src/testing.ts";
import { modes } from "../truncated/setup.ts";
import { bits, normal, paramsOf, plain, said } from "./setup.ts";

const layers = () => [lstm({ input: 2, hidden: 3 }), gru({ input: 3, hidden: 3 })] as const;

describe("a stack", () => {
  for (const residual of [false, true]) {
    const laws = cellLaws(stacked(layers(), { residual }), { input: 2, batch: 2, steps: 3 });
    test.each(laws)(`${residual ? "with residuals" : "as it is"}: $name`, (law) => {
      holdAll("stacked", [law]).assert();
    });
  }

  test("of one cell is the cell, bit by bit", () => {
    fc.assert(
      fc.property(cells(), fc.nat(1000), fc.boolean(), ({ cell, input }, seed, residual) => {
        const one = stacked([cell], { residual });
        const params = paramsOf(cell, seed);
        const inputs = normal([3, 2, input], seed);
        const found = unroll(one, [params] as const, inputs);
        const expected = unroll(cell, params, inputs);
        expect(bits(found.outputs)).toEqual(bits(expected.outputs));
        expect(bits(found.state)).toEqual(bits(expected.state));
      }),
      { numRuns: 20 },
    );
  });

  test("is the sequence of its cells by name: values, gradients and windows, bit by bit", () => {
    const [lower, upper] = layers();
    const [list, named] = [stacked([lower, upper]), sequential({ lower, upper })];
    const params = paramsOf(list, 3);
    const byName = { lower: params[0], upper: params[1] };
    const inputs = normal([5, 2, 2], 4);
    const sum = (outputs: Tensor) => outputs.square().sum();
    const gradient = grad((p: typeof params) => sum(unroll(list, p, inputs).outputs))(params);
    const expected = grad((p: typeof byName) => sum(unroll(named, p, inputs).outputs))(byName);
    expect(bits(gradient)).toEqual(bits(expected));
    const stream = { inputs: normal([9, 2, 2], 5), targets: normal([9, 2, 3], 6) };
    const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
    for (const stale of modes) {
      for (const compile of [false, true]) {
        const options = { k1: 2, k2: 4, stale, compile, loss };
        const found = Array.from(truncated(list, params, stream, options), ({ gradients }) =>
          bits(gradients),
        );
        const like = Array.from(truncated(named, byName, stream, options), ({ gradients }) =>
          bits(gradients),
        );
        expect(found).toEqual(like);
      }
    }
  });

  test("adds the input of every layer but the first to its output", () => {
    const sizes = { input: 3, hidden: 3 };
    const own = [elman({ input: 2, hidden: 3 }), gru(sizes), lstm(sizes)] as const;
    const model = stacked(own, { residual: true });
    const params = paramsOf(model, 7);
    const x = normal([2, 2], 8);
    const state = initialState(model, 2, { dtype: "float64" });
    const [y, next] = model.step(params, x, state);
    const [first, h0] = own[0].step(params[0], x, state[0]);
    const [inner, h1] = own[1].step(params[1], first, state[1]);
    const second = inner.add(first);
    const [last, h2] = own[2].step(params[2], second, state[2]);
    expect(bits(y)).toEqual(bits(last.add(second)));
    expect(bits(next)).toEqual(bits([h0, h1, h2]));
  });

  test("has tuples by layer, typed; a list of any length too", () => {
    const model = stacked(layers());
    const params = initialParams(model, rng(1));
    expectTypeOf(params[0].W).toEqualTypeOf<Tensor>();
    expectTypeOf(params[1].bn).toEqualTypeOf<Tensor>();
    expect([params[0].U.shape, params[1].bn.shape]).toEqual([[3, 12], [3]]);
    const state = initialState(model, 2);
    expectTypeOf(state[0].c).toEqualTypeOf<Tensor>();
    expect([Array.isArray(params), Array.isArray(state)]).toEqual([true, true]);
    // Each layer is drawn from a generator of its own.
    const same = stacked(Array.from({ length: 3 }, () => gru({ input: 3, hidden: 3 })));
    const drawn = initialParams(same, rng(1));
    expectTypeOf(drawn[0]!.U).toEqualTypeOf<Tensor>();
    expect(new Set(drawn.map(({ W }) => W.toTypedArray().join())).size).toBe(3);
  });

  test("nests", () => {
    const inner = stacked([gru({ input: 3, hidden: 3 }), gru({ input: 3, hidden: 3 })]);
    const model = stacked([lstm({ input: 2, hidden: 3 }), inner]);
    const flat = stacked([lstm({ input: 2, hidden: 3 }), ...layersOf(2)]);
    const params = paramsOf(model, 2);
    const inputs = normal([4, 2, 2], 3);
    const [first, [second, third]] = params;
    const expected = unroll(flat, [first, second, third] as const, inputs);
    expect(bits(unroll(model, params, inputs).outputs)).toEqual(bits(expected.outputs));
  });
});

const layersOf = (count: 2) =>
  Array.from({ length: count }, () => gru({ input: 3, hidden: 3 })) as [
    ReturnType<typeof gru>,
    ReturnType<typeof gru>,
  ];

describe("a stack with a bidirectional layer", () => {
  const lower = bidirectional(lstm({ input: 2, hidden: 2 }));
  const middle = gru({ input: 4, hidden: 4 });
  const upper = bidirectional(elman({ input: 4, hidden: 2 }));
  const head = linear({ input: 4, output: 1 });

  test("runs layer by layer over the sequence", () => {
    const model = stacked([lower, middle, upper], { residual: true });
    const params = paramsOf(model, 3);
    const inputs = normal([5, 3, 2], 4);
    const found = unroll(model, params, inputs);
    const one = unroll(lower, params[0], inputs);
    const two = unroll(middle, params[1], one.outputs);
    const second = two.outputs.add(one.outputs);
    const three = unroll(upper, params[2], second);
    expect(bits(found.outputs)).toEqual(bits(three.outputs.add(second)));
    expect(bits(found.state)).toEqual(bits([one.state, two.state, three.state]));
    expectTypeOf(found.state[0].backward.c).toEqualTypeOf<Tensor>();
  });

  test("starts each layer from its own state", () => {
    const model = stacked([lower, middle]);
    const params = paramsOf(model, 3);
    const inputs = normal([5, 3, 2], 4);
    const h = normal([3, 4], 5);
    const state = initialState(model, 3, { dtype: "float64" });
    const found = unroll(model, params, inputs, { state: [state[0], { h }] });
    const one = unroll(lower, params[0], inputs);
    const two = unroll(middle, params[1], one.outputs, { state: { h } });
    expect(bits(found.outputs)).toEqual(bits(two.outputs));
  });

  test("sequential takes it too, with layers around it", () => {
    const model = sequential({ middle: gru({ input: 2, hidden: 4 }), upper, head });
    const params = paramsOf(model, 3);
    const inputs = normal([5, 3, 2], 4);
    const found = unroll(model, params, inputs);
    const one = unroll(gru({ input: 2, hidden: 4 }), params.middle, inputs);
    const two = unroll(upper, params.upper, one.outputs);
    expect(bits(found.outputs)).toEqual(bits(head.apply(params.head, two.outputs)));
    expect(bits(found.state)).toEqual(bits([one.state, two.state]));
  });

  test("its gradient is that of differences", () => {
    const model = stacked([lower, middle], { residual: true });
    const inputs = normal([3, 2, 2], 4);
    const f = (p: ReturnType<typeof given>) => unroll(model, p, inputs);
    const given = () => paramsOf(model, 3);
    checkGradients(f, given()).assert();
  });
});

describe("what is refused", () => {
  test("no layer, no list, no cell, and widths that no residual fits", () => {
    const cell = lstm({ input: 2, hidden: 3 });
    const wide = stacked([cell, gru({ input: 3, hidden: 4 })], { residual: true });
    const run = (model: unknown) =>
      unroll(plain(model), paramsOf(model as typeof wide, 1) as never, normal([2, 1, 2], 1));
    const both = bidirectional(gru({ input: 3, hidden: 3 }));
    expect([
      said(() => stacked([])),
      said(() => stacked({ cell } as never)),
      said(() => stacked([cell, lstm] as never)),
      said(() => stacked(new Array(1) as never)),
      said(() => stacked([cell, linear({ input: 3, output: 2 })] as never)),
      said(() => stacked([cell], { residuals: true } as never)),
      said(() => run(wide)),
      said(() => run(stacked([cell, both], { residual: true }))),
      said(() => truncated(stacked([cell, both]) as never, {}, [], {} as never)),
      said(() => sequential({ cell, both: undefined as never })),
    ]).toMatchInlineSnapshot(`
      [
        "RangeError: stacked: expected at least one cell, got none",
        "TypeError: stacked: expected a list of cells, [lower, upper], got an object",
        "TypeError: stacked: layer 1: expected a cell, { params, state, step }, got the family lstm; a family gives a cell when it is called with sizes, such as lstm({ input: 3, hidden: 5 })",
        "TypeError: stacked: layer 0: expected a cell, { params, state, step }, got undefined",
        "TypeError: stacked: layer 1: expected a cell, { params, state, step }, got an object without step",
        "TypeError: stacked: there is no option "residuals", did you mean "residual"? It takes residual, dropout, per",
        "RangeError: unroll: step 1: stacked: layer 1: a residual needs an output of the shape of the input, got [1,4] for [1,3]; give the layers one width, or leave residual out",
        "RangeError: stacked: layer 1: a residual needs an output of the shape of the input, got [2,1,6] for [2,1,3]; give the layers one width, or leave residual out",
        "TypeError: truncated: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; run whole sequences with unroll, and differentiate that",
        "TypeError: sequential: both: expected a cell, { params, state, step }, got undefined",
      ]
    `);
  });
});
