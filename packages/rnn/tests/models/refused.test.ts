import { type Tensor, tensor } from "@chronograd/autodiff";
import { embedding, init, linear, rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import {
  bidirectional,
  defineCell,
  gru,
  initialParams,
  lstm,
  sequential,
  stacked,
  unroll,
  variationalDropout,
  weightDrop,
  zoneout,
} from "../../src/index.ts";
import { normal, paramsOf, said } from "./setup.ts";

const cell = lstm({ input: 2, hidden: 3 });
const upper = gru({ input: 3, hidden: 3 });
/** Not made by defineCell: it does not say what its input is. */
const bare = { params: upper.params, state: upper.state, step: upper.step };
const counting = defineCell({
  params: () => ({ w: init.zeros(2) }),
  state: () => ({ steps: init.zeros({ dtype: "int32" }), h: init.zeros(2) }),
  step: ({ w }, x: Tensor, { steps, h }) => {
    const next = h.add(x.mul(w));
    return [next, { steps: steps.add(1), h: next }];
  },
})({ input: 2, hidden: 2 });

test("rates", () => {
  expect([
    said(() => variationalDropout(cell, { rate: 1 })),
    said(() => variationalDropout(cell, { rate: 0.5, inputRate: -0.1 })),
    said(() => variationalDropout(cell, undefined as never)),
    said(() => weightDrop(cell, { rate: Number.NaN })),
    said(() => weightDrop(cell, { rate: "0.5" as never })),
    said(() => zoneout(cell, { rate: 1.5 })),
    said(() => zoneout(cell, { rate: { h: 0.1, c: 2 } })),
    said(() => stacked([cell, upper], { dropout: 1 })),
  ]).toMatchInlineSnapshot(`
    [
      "RangeError: variationalDropout: rate must be at least 0 and below 1, got 1",
      "RangeError: variationalDropout: inputRate must be at least 0 and below 1, got -0.1",
      "RangeError: variationalDropout: rate must be at least 0 and below 1, got undefined",
      "RangeError: weightDrop: rate must be at least 0 and below 1, got NaN",
      "RangeError: weightDrop: rate must be at least 0 and below 1, got "0.5"",
      "RangeError: zoneout: rate must be at least 0 and at most 1, got 1.5",
      "RangeError: zoneout: the rate of c must be at least 0 and at most 1, got 2",
      "RangeError: stacked: dropout must be at least 0 and below 1, got 1",
    ]
  `);
});

test("names that nothing has", () => {
  expect([
    said(() => weightDrop(cell, { rate: 0.5, names: ["u"] })),
    said(() => weightDrop(stacked([cell, upper]), { rate: 0.5, names: ["2.U"] })),
    said(() => weightDrop(counting, { rate: 0.5 })),
    said(() => weightDrop(cell, { rate: 0.5, names: "U" as never })),
    said(() => zoneout(cell, { rate: { hidden: 0.1 } })),
    said(() => zoneout(counting, { rate: { steps: 0.1 } })),
    said(() => variationalDropout(cell, { rate: 0.5, names: ["memory"] })),
  ]).toMatchInlineSnapshot(`
    [
      "TypeError: weightDrop: the cell has no parameter of floats called "u", did you mean "U"? It has W, U, b",
      "TypeError: weightDrop: the cell has no parameter of floats called "2.U"; it has 0.W, 0.U, 0.b, 1.W, 1.U, 1.b, 1.bn",
      "TypeError: weightDrop: the cell has no parameter of floats called "U"; it has w",
      "TypeError: weightDrop: names must be a list such as ["U"], got "U"",
      "TypeError: zoneout: the cell has no state of floats called "hidden"; it has h, c",
      "TypeError: zoneout: the cell has no state of floats called "steps"; it has h",
      "TypeError: variationalDropout: the cell has no state of floats called "memory"; it has h, c",
    ]
  `);
});

test("options, and what is no cell", () => {
  const wrong = { rate: 0.5, name: ["U"] } as never;
  expect([
    said(() => weightDrop(cell, wrong)),
    said(() => variationalDropout(cell, { rate: 0.5, inputrate: 0 } as never)),
    said(() => zoneout(cell, { rates: 0.5 } as never)),
    said(() => stacked([cell, upper], { dropout: 0.5, per: "sequence" as never })),
    said(() => stacked([cell, upper], { residual: 1 as never })),
    said(() => zoneout(lstm as never, { rate: 0.5 })),
    said(() => weightDrop(undefined as never, { rate: 0.5 })),
    said(() => variationalDropout(linear({ input: 2, output: 3 }) as never, { rate: 0.5 })),
    said(() => zoneout(bidirectional(cell) as never, { rate: 0.5 })),
    said(() => unroll(lstm as never, {}, normal([3, 1, 2], 1))),
    said(() => unroll(linear({ input: 2, output: 3 }) as never, {}, normal([3, 1, 2], 1))),
  ]).toMatchInlineSnapshot(`
    [
      "TypeError: weightDrop: there is no option "name", did you mean "names"? It takes rate, names",
      "TypeError: variationalDropout: there is no option "inputrate", did you mean "inputRate"? It takes rate, inputRate, names, input",
      "TypeError: zoneout: there is no option "rates", did you mean "rate"? It takes rate",
      "TypeError: stacked: per must be "step" or "window", got "sequence"",
      "TypeError: stacked: residual must be true or false, got 1",
      "TypeError: zoneout: expected a cell, { params, state, step }, got the family lstm; a family gives a cell when it is called with sizes, such as lstm({ input: 3, hidden: 5 })",
      "TypeError: weightDrop: expected a cell, { params, state, step }, got undefined",
      "TypeError: variationalDropout: expected a cell, { params, state, step }, got an object without step",
      "TypeError: zoneout: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; give it the cells inside, as in bidirectional(zoneout(cell, ...))",
      "TypeError: unroll: expected a cell, { params, state, step }, got the family lstm; a family gives a cell when it is called with sizes, such as lstm({ input: 3, hidden: 5 })",
      "TypeError: unroll: expected a cell, { params, state, step }, got an object without step",
    ]
  `);
});

test("inputs that a mask does not fit", () => {
  const model = sequential({
    embedding: embedding({ input: 5, output: 2 }),
    cell: variationalDropout(cell, { rate: 0.5 }),
  });
  const symbols = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: "int32" },
  );
  expect(unroll(model, paramsOf(model, 1), symbols, { rng: rng(1) }).outputs.shape).toEqual([
    2, 2, 3,
  ]);
  const outside = variationalDropout(model, { rate: 0.5, input: 2 });
  const two = stacked([cell, { ...bare, input: [3] }], { dropout: 0.5 });
  const params = initialParams(two, rng(1), { dtype: "float64" });
  const noise = [undefined, { input: normal([1, 2], 1) }];
  expect([
    said(() => variationalDropout(bare, { rate: 0.5 })),
    said(() => variationalDropout(model, { rate: 0.5 })),
    said(() => variationalDropout(bare, { rate: 0.5, input: 0 })),
    said(() => stacked([cell, bare], { dropout: 0.5 })),
    said(() => unroll(outside, paramsOf(outside, 1), symbols, { rng: rng(1) })),
    said(() => two.step(params, normal([1, 2], 1), zeroStates(), noise)),
  ]).toMatchInlineSnapshot(`
    [
      "TypeError: variationalDropout: the cell does not say what shape a row of its input has, and a mask needs it; say it, as in { input: 3 } for 3 columns, or leave inputs alone with { inputRate: 0 }",
      "TypeError: variationalDropout: the cell does not say what shape a row of its input has, and a mask needs it; say it, as in { input: 3 } for 3 columns, or leave inputs alone with { inputRate: 0 }",
      "TypeError: variationalDropout: input must be a number of columns or the shape of a row, got [0]",
      "TypeError: stacked: layer 1: the cell does not say what shape a row of its input has, and a mask needs it; give it one, as in { ...cell, input: [5] } for 5 columns",
      "TypeError: unroll: step 1: variationalDropout: the input must be a tensor float64 [2,2], as the mask, got int32 [2]; say the shape of a row with input, and put a cell behind the embedding of symbols",
      "TypeError: stacked: layer 1: the input must be a tensor float64 [1,2], as the mask, got float64 [1,3]; say the shape of a row with input, and put a cell behind the embedding of symbols",
    ]
  `);
  expect(said(() => variationalDropout(bare, { rate: 0.5, input: 3 }))).toBe("nothing");
  expect(said(() => variationalDropout(bare, { rate: 0.5, inputRate: 0 }))).toBe("nothing");
});

function zeroStates() {
  const [h, c] = [normal([1, 3], 1), normal([1, 3], 2)];
  return [{ h, c }, { h }] as [{ h: Tensor; c: Tensor }, { h: Tensor }];
}

test("whole numbers are never dropped or kept", () => {
  const noisy = zoneout(variationalDropout(counting, { rate: 0.5 }), { rate: 1 });
  const { state } = unroll(noisy, paramsOf(noisy, 1), normal([5, 2, 2], 1), { rng: rng(1) });
  expect(state.steps.toArray()).toEqual([5, 5]);
});
