import { concat, grad, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { defineCell, elman, initialParams, minGru, unroll } from "../../src/index.ts";
import { normal, said } from "../models/setup.ts";

const float64 = { dtype: "float64" } as const;
const sizes = { input: 2, hidden: 3 };
const cell = elman(sizes);
const params = initialParams(cell, rng(1), float64);
const xs = normal([5, 2, 2], 1);

test("budgets that make no sense", () => {
  const memories: unknown[] = [
    { steps: 0 },
    { steps: -1 },
    { steps: 1.5 },
    { steps: Number.NaN },
    { steps: "3" },
    { steps: 2 ** 60 },
    { bytes: 0 },
    { bytes: -1 },
    { bytes: Infinity },
    { bytes: "10MB" },
    { bytes: null },
    {},
    { steps: 1, bytes: 1 },
    { step: 1 },
    [1],
    "10MB",
    "none",
    null,
    5,
    true,
  ];
  const errors = memories.map((memory) =>
    said(() => unroll(cell, params, xs, { memory } as never)),
  );
  expect(errors).toMatchInlineSnapshot(`
    [
      "RangeError: unroll: memory { steps } must be a whole number from 1 to 2^53, got 0",
      "RangeError: unroll: memory { steps } must be a whole number from 1 to 2^53, got -1",
      "RangeError: unroll: memory { steps } must be a whole number from 1 to 2^53, got 1.5",
      "RangeError: unroll: memory { steps } must be a whole number from 1 to 2^53, got NaN",
      "RangeError: unroll: memory { steps } must be a whole number from 1 to 2^53, got "3"",
      "RangeError: unroll: memory { steps } must be a whole number from 1 to 2^53, got 1152921504606847000",
      "RangeError: unroll: memory { bytes } must be a whole number from 1 to 2^53, got 0",
      "RangeError: unroll: memory { bytes } must be a whole number from 1 to 2^53, got -1",
      "RangeError: unroll: memory { bytes } must be a whole number from 1 to 2^53, got Infinity",
      "RangeError: unroll: memory { bytes } must be a whole number from 1 to 2^53, got "10MB"",
      "RangeError: unroll: memory { bytes } must be a whole number from 1 to 2^53, got null",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got an object",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got an object",
      "TypeError: unroll: memory: there is no option "step", did you mean "steps"? It takes steps, bytes",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got [1]",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got "10MB"",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got "none"",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got null",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got 5",
      "TypeError: unroll: memory must be "all", { steps: n } or { bytes: n }, got true",
    ]
  `);
});

test("options that do not go together, or are misspelt", () => {
  const linear = minGru(sizes);
  const weights = initialParams(linear, rng(1), float64);
  const errors = [
    { compiled: true },
    { memori: "all" },
    { compile: "yes" },
    { compile: 1 },
    { compile: null },
    { parallel: true, compile: true },
    { parallel: true, memory: "all" },
    { memory: { bytes: 100 } },
  ].map((options) => said(() => unroll(linear, weights, xs, options as never)));
  expect(errors).toMatchInlineSnapshot(`
    [
      "TypeError: unroll: there is no option "compiled", did you mean "compile"? It takes state, reverse, parallel, compile, memory, burnIn, context, rng, lengths, mask, resets, threads, shards",
      "TypeError: unroll: there is no option "memori", did you mean "memory"? It takes state, reverse, parallel, compile, memory, burnIn, context, rng, lengths, mask, resets, threads, shards",
      "TypeError: unroll: compile must be true or false, got "yes"",
      "TypeError: unroll: compile must be true or false, got 1",
      "TypeError: unroll: compile must be true or false, got null",
      "TypeError: unroll: parallel runs all steps at once, and compile and memory run them one after the other; leave out parallel, or both of these",
      "TypeError: unroll: parallel runs all steps at once, and compile and memory run them one after the other; leave out parallel, or both of these",
      "RangeError: unroll: memory { bytes: 100 } is less than this model takes, which needs { bytes: 17984 } at least, to keep one state and run all 5 steps again for each; give it more, or shorten the sequence",
    ]
  `);
});

/** A cell of one row of floats, by its step. */
function cellOf(step: (x: Tensor, h: Tensor) => readonly [Tensor, Tensor]) {
  return defineCell({
    params: () => ({ w: init.constant(0.5, 3) }),
    state: () => ({ h: init.zeros(3) }),
    step: ({ w }, x: Tensor, { h }) => {
      const [y, next] = step(x, h.mul(w));
      return [y, { h: next }];
    },
  })({ input: 3, hidden: 3 });
}

const x3 = normal([6, 2, 3], 1);
const weights = { w: tensor([0.5, 0.4, 0.3], float64) };

/** What a loop and its sweep say. */
function loop(
  own: ReturnType<typeof cellOf>,
  options: object,
  by: "outputs" | "state" = "outputs",
) {
  return said(() =>
    grad((p: typeof weights) => {
      const { outputs, state } = unroll(own, p, x3, options);
      return by === "outputs" ? outputs.sum() : state.h.sum();
    })(weights),
  );
}

test("steps that no plan can have", () => {
  const random = rng(1);
  const drawing = cellOf((x, h) => {
    const next = x.add(h).mul(random.uniform());
    return [next, next];
  });
  const reading = cellOf((x, h) => {
    const next = x.add(h.sum().item() > 0 ? h : h.neg());
    return [next, next];
  });
  const growing = cellOf((x, h) => [x, concat([h, h], 0)]);
  const narrowing = cellOf((x, h) => [x, h.cast("float32")]);
  const outside = cellOf((x, h) => [x.cast("float32"), h]);
  const errors = [drawing, reading, growing, narrowing, outside].flatMap((own) => [
    loop(own, { compile: true }),
    loop(own, { memory: "all" }),
  ]);
  expect(errors).toMatchInlineSnapshot(`
    [
      "TypeError: unroll: compile takes steps that can be planned, and this model's cannot, because a random generator was drawn from, and a plan would repeat the draw; draw outside, and pass it as an argument; leave out the option, or draw random numbers as noise of the cell",
      "nothing",
      "TypeError: unroll: compile takes steps that can be planned, and this model's cannot, because a value that depends on the inputs was read or written by JavaScript (item, toArray, a live view, random numbers); leave out the option, or draw random numbers as noise of the cell",
      "nothing",
      "RangeError: unroll: step 1: cell: the next state "h" [4,3] has 4 rows, and the state "h" [2,3] has 2; give both one row for each sequence of the batch",
      "RangeError: unroll: step 1: cell: the next state "h" [4,3] has 4 rows, and the state "h" [2,3] has 2; give both one row for each sequence of the batch",
      "TypeError: unroll: with compile or memory the state keeps its shape, and a step changes h from Tensor float64 [2,3] to Tensor float32 [2,3]; leave both out, or give it the longest shape from the start",
      "TypeError: unroll: with compile or memory the state keeps its shape, and a step changes h from Tensor float64 [2,3] to Tensor float32 [2,3]; leave both out, or give it the longest shape from the start",
      "TypeError: unroll: with compile or memory, outputs and states must be floats of one dtype, got float32 and float64; cast them in the step",
      "TypeError: unroll: with compile or memory, outputs and states must be floats of one dtype, got float32 and float64; cast them in the step",
    ]
  `);
});

test("outputs that look otherwise at a later step", () => {
  const after = (other: (y: Tensor) => unknown) => {
    let calls = 0;
    const own = cellOf((x, h) => {
      const next = x.add(h);
      return [(calls++ === 0 ? next : other(next)) as Tensor, next];
    });
    return loop(own, { memory: "all" });
  };
  const errors = [(y: Tensor) => y.sum(1), (y: Tensor) => y.cast("float32"), () => null].map(after);
  expect(errors).toMatchInlineSnapshot(`
    [
      "TypeError: unroll: with compile or memory, outputs have one shape and dtype at all steps, and step 2 gives float64 [2] where others give float64 [2,3]; pad them to one shape",
      "TypeError: unroll: with compile or memory, outputs have one shape and dtype at all steps, and step 2 gives float32 [2,3] where others give float64 [2,3]; pad them to one shape",
      "TypeError: unroll: with compile or memory, outputs have one shape and dtype at all steps, and step 2 gives nothing where others give float64 [2,3]; pad them to one shape",
    ]
  `);
});

test("a step that gives something else when it runs again is caught: by its outputs, or its state alone", () => {
  let calls = 0;
  const counting = cellOf((x, h) => {
    const next = x.add(h).add(calls++ * 1e-9);
    return [next, next];
  });
  const hidden = cellOf((x, h) => [x, x.add(h).add(calls++ * 1e-9)]);
  const drifting = cellOf((x, h) => [x, x.add(h).mul(0.999 ** calls++)]);
  for (const own of [counting, hidden, drifting]) {
    for (const by of ["outputs", "state"] as const) {
      if (own !== counting && by === "outputs") continue;
      for (const steps of [1, 2, 4]) {
        expect(loop(own, { memory: { steps } }, by)).toMatch(
          /^Error: unroll: step \d gave (another state|other outputs|.*) when it was run again for the gradient, so the model is not a pure function/,
        );
      }
      // Nothing runs again.
      expect(loop(own, { memory: "all" }, by)).toBe("nothing");
    }
  }
  expect(loop(counting, { memory: { steps: 2 } })).toMatchInlineSnapshot(
    `"Error: unroll: step 4 gave something else when it was run again for the gradient, so the model is not a pure function of its parameters, input and state; draw random numbers as noise of the cell, or leave memory out (thrown by the vjp of unroll by params.w: unroll [3] [2,3] [6,2,3] -> [42] (entry 0))"`,
  );
});

test("steps that are not alike", () => {
  const x = (...shape: number[]) => zeros(shape, float64);
  const pair = defineCell({
    params: () => ({ w: init.constant(0.5, 1) }),
    state: () => ({ h: init.zeros(1) }),
    step: ({ w }, { a, b }: { a: Tensor; b: Tensor }, { h }) => {
      const next = h.mul(w).add(a).add(b);
      return [next, { h: next }];
    },
  })({ input: 1, hidden: 1 });
  const own = initialParams(pair, rng(1), float64);
  const one = { a: x(2, 1), b: x(2, 1) };
  for (const options of [{ memory: "all" }, { compile: true }] as const) {
    const errors = [
      said(() => unroll(cell, params, [x(2, 2), x(3, 2)], options)),
      said(() => unroll(cell, params, [x(2, 2), zeros([2, 2])], options)),
      said(() => unroll(cell, params, [x(2, 2), { a: x(2, 2) }] as never, options)),
      said(() => unroll(pair, own, [one, { a: one.a }] as never, options)),
      said(() => unroll(pair, own, [one, { ...one, c: one.a }] as never, options)),
      said(() => unroll(pair, own, { a: x(4, 2, 1), b: x(5, 2, 1) }, options)),
      said(() => unroll(cell, params, [], options)),
      said(() => unroll(cell, params, x(0, 2, 2), options)),
      said(() => unroll(cell, params, 3 as never, options)),
      said(() => unroll(cell, params, xs, { ...options, state: { h: x(3, 3) } })),
      said(() => unroll(cell, params, xs.cast("float32"), options)),
    ];
    for (const error of errors) expect(error).toMatch(/^(Type|Range)Error: unroll: /);
    expect(errors).toMatchInlineSnapshot(`
      [
        "RangeError: unroll: with compile, memory or parallel all steps are alike, and step 1 is Tensor float64 [2,2] and step 2 Tensor float64 [3,2]; leave these options out, or give time-major tensors and lengths",
        "RangeError: unroll: with compile, memory or parallel all steps are alike, and step 1 is Tensor float64 [2,2] and step 2 Tensor float32 [2,2]; leave these options out, or give time-major tensors and lengths",
        "RangeError: unroll: with compile, memory or parallel all steps are alike, and step 1 is Tensor float64 [2,2] and step 2 "a" Tensor float64 [2,2]; leave these options out, or give time-major tensors and lengths",
        "RangeError: unroll: with compile, memory or parallel all steps are alike, and step 1 is "a" Tensor float64 [2,1], "b" Tensor float64 [2,1] and step 2 "a" Tensor float64 [2,1]; leave these options out, or give time-major tensors and lengths",
        "RangeError: unroll: with compile, memory or parallel all steps are alike, and step 1 is "a" Tensor float64 [2,1], "b" Tensor float64 [2,1] and step 2 "a" Tensor float64 [2,1], "b" Tensor float64 [2,1], "c" Tensor float64 [2,1]; leave these options out, or give time-major tensors and lengths",
        "RangeError: unroll: inputs must have one number of steps as their first axis, got 4 and, at "b", 5",
        "RangeError: unroll: expected at least one time step, got none",
        "RangeError: unroll: expected at least one time step, got none",
        "TypeError: unroll: inputs must be time-major tensors or an array of steps, got 3",
        "RangeError: unroll: step 1: elman: the input [2,2] has 2 rows, and the state "h" [3,3] has 3; give both one row for each sequence of the batch",
        "TypeError: unroll: step 1: matmul: arguments must share a dtype, got float32 for a and float64 for b; convert one with cast(x, "float32")",
      ]
    `);
  }
});
