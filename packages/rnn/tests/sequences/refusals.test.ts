import { grad, ones, Tape, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  defineCell,
  defineLinearCell,
  elman,
  gru,
  initialParams,
  type Noise,
  type TimeStep,
  truncated,
  unroll,
} from "../../src/index.ts";

const cell = elman({ input: 1, hidden: 1 });
const params = initialParams(cell, rng(1), { dtype: "float64" });
const [T, B] = [3, 2];
const inputs = zeros([T, B, 1], { dtype: "float64" });
const bits = (...values: number[]): Tensor => tensor(Int32Array.from(values));
const table = (value: number): Tensor =>
  bits(...new Array<number>(T * B).fill(value)).reshape([T, B]);
const step = () => ({ input: inputs.slice([0]), target: inputs.slice([0]) });
const squares = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();

/** What is thrown, in words. */
function said(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "nothing was thrown";
}

const unrolled = (options: object) => said(() => unroll(cell, params, inputs, options));
const streamed = (steps: Iterable<object> | object, options: object = {}) =>
  said(() => [
    ...truncated(
      cell,
      params,
      steps as TimeStep[],
      { k1: 1, k2: 2, loss: squares, ...options } as never,
    ),
  ]);
const stepped = (marks: object, options: object = {}) =>
  streamed([{ ...step(), ...marks }], options);

test("lengths that cannot be", () => {
  const each = [
    [4, 1],
    [-1, 1],
    [1.5, 1],
    [Number.NaN, 1],
    [1],
    [1, 2, 3],
    3,
    null,
    "12",
    { 0: 1 },
  ];
  expect(each.map((lengths) => unrolled({ lengths }))).toMatchInlineSnapshot(`
    [
      "RangeError: unroll: the length of row 0 must be a whole number from 0 to 3, the steps of the sequence, got 4",
      "RangeError: unroll: the length of row 0 must be a whole number from 0 to 3, the steps of the sequence, got -1",
      "RangeError: unroll: the length of row 0 must be a whole number from 0 to 3, the steps of the sequence, got 1.5",
      "RangeError: unroll: the length of row 0 must be a whole number from 0 to 3, the steps of the sequence, got NaN",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got 1 of them",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got 3 of them",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got number",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got null",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got string",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got object",
    ]
  `);
  const tensors = [bits(4, 1), bits(1), bits(1, 2).reshape([2, 1]), tensor([1, 2])];
  expect(tensors.map((lengths) => unrolled({ lengths }))).toMatchInlineSnapshot(`
    [
      "RangeError: unroll: the length of row 0 must be a whole number from 0 to 3, the steps of the sequence, got 4",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got Tensor int32 [1]",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got Tensor int32 [2,1]",
      "TypeError: unroll: lengths must be 2 whole numbers, one for each row, as an array or an int32 tensor, got Tensor float32 [2]",
    ]
  `);
  expect(streamed({ inputs, targets: inputs, lengths: [1, 9] })).toMatchInlineSnapshot(
    `"RangeError: truncated: the length of row 1 must be a whole number from 0 to 3, the steps of the sequence, got 9"`,
  );
});

test("masks and resets of another dtype, shape or values", () => {
  const ones = tensor([1, 1]);
  const marks = [ones, bits(1), bits(1, 2), bits(-1, 0), bits(1, 1, 1), null, [1, 1], true];
  expect(marks.map((mask) => stepped({ mask }))).toMatchInlineSnapshot(`
    [
      "TypeError: truncated: the mask of step 1 must be int32 [2] of 0 and 1, got Tensor float32 [2]; convert it with cast(x, "int32")",
      "RangeError: truncated: the mask of step 1 must be int32 [2] of 0 and 1, got [1]; give one for each row",
      "RangeError: truncated: the mask of step 1 must be 0 or 1 everywhere, got 2",
      "RangeError: truncated: the mask of step 1 must be 0 or 1 everywhere, got -1",
      "RangeError: truncated: the mask of step 1 must be int32 [2] of 0 and 1, got [3]; give one for each row",
      "TypeError: truncated: the mask of step 1 must be a tensor, int32 [2] of 0 and 1, got null; tensor(Int32Array.of(...), { shape: [2] }) makes one",
      "TypeError: truncated: the mask of step 1 must be a tensor, int32 [2] of 0 and 1, got an array; tensor(Int32Array.of(...), { shape: [2] }) makes one",
      "TypeError: truncated: the mask of step 1 must be a tensor, int32 [2] of 0 and 1, got boolean; tensor(Int32Array.of(...), { shape: [2] }) makes one",
    ]
  `);
  expect(marks.map((reset) => stepped({ reset }))).toMatchInlineSnapshot(`
    [
      "TypeError: truncated: the reset of step 1 must be int32 [2] of 0 and 1, got Tensor float32 [2]; convert it with cast(x, "int32")",
      "RangeError: truncated: the reset of step 1 must be int32 [2] of 0 and 1, got [1]; give one for each row",
      "RangeError: truncated: the reset of step 1 must be 0 or 1 everywhere, got 2",
      "RangeError: truncated: the reset of step 1 must be 0 or 1 everywhere, got -1",
      "RangeError: truncated: the reset of step 1 must be int32 [2] of 0 and 1, got [3]; give one for each row",
      "TypeError: truncated: the reset of step 1 must be a tensor, int32 [2] of 0 and 1, got null; tensor(Int32Array.of(...), { shape: [2] }) makes one",
      "TypeError: truncated: the reset of step 1 must be a tensor, int32 [2] of 0 and 1, got an array; tensor(Int32Array.of(...), { shape: [2] }) makes one",
      "TypeError: truncated: the reset of step 1 must be a tensor, int32 [2] of 0 and 1, got boolean; tensor(Int32Array.of(...), { shape: [2] }) makes one",
    ]
  `);
  const whole = [table(1).cast("float32"), table(2), bits(1, 1), null, [[1, 1]]];
  expect(whole.map((mask) => unrolled({ mask }))).toMatchInlineSnapshot(`
    [
      "TypeError: unroll: mask must be int32 [3,2] of 0 and 1, got Tensor float32 [3,2]; convert it with cast(x, "int32")",
      "RangeError: unroll: mask must be 0 or 1 everywhere, got 2",
      "RangeError: unroll: mask must be int32 [3,2] of 0 and 1, got [2]; give one for each row of each step, time first",
      "TypeError: unroll: mask must be a tensor, int32 [3,2] of 0 and 1, got null; tensor(Int32Array.of(...), { shape: [3,2] }) makes one",
      "TypeError: unroll: mask must be a tensor, int32 [3,2] of 0 and 1, got an array; tensor(Int32Array.of(...), { shape: [3,2] }) makes one",
    ]
  `);
  expect(whole.map((resets) => unrolled({ resets }))).toMatchInlineSnapshot(`
    [
      "TypeError: unroll: resets must be int32 [3,2] of 0 and 1, got Tensor float32 [3,2]; convert it with cast(x, "int32")",
      "RangeError: unroll: resets must be 0 or 1 everywhere, got 2",
      "RangeError: unroll: resets must be int32 [3,2] of 0 and 1, got [2]; give one for each row of each step, time first",
      "TypeError: unroll: resets must be a tensor, int32 [3,2] of 0 and 1, got null; tensor(Int32Array.of(...), { shape: [3,2] }) makes one",
      "TypeError: unroll: resets must be a tensor, int32 [3,2] of 0 and 1, got an array; tensor(Int32Array.of(...), { shape: [3,2] }) makes one",
    ]
  `);
});

test("names that are misspelt", () => {
  expect([
    stepped({ resets: bits(1, 1) }),
    stepped({ masks: bits(1, 1) }),
    stepped({ Mask: bits(1, 1) }),
    streamed({ inputs, targets: inputs, length: [1, 2] }),
    streamed({ inputs, targets: inputs, masks: table(1) }),
    unrolled({ length: [1, 2] }),
    unrolled({ reset: table(0) }),
    unrolled({ burnin: 1 }),
    stepped({}, { burnin: 1 }),
  ]).toMatchInlineSnapshot(`
    [
      "TypeError: truncated: step 1 of the stream has "resets", did you mean "reset"?",
      "TypeError: truncated: step 1 of the stream has "masks", did you mean "mask"?",
      "TypeError: truncated: step 1 of the stream has "Mask", did you mean "mask"?",
      "TypeError: truncated: there is no option "length", did you mean "lengths"? It takes inputs, targets, lengths, mask, resets, context",
      "TypeError: truncated: there is no option "masks", did you mean "mask"? It takes inputs, targets, lengths, mask, resets, context",
      "TypeError: unroll: there is no option "length", did you mean "lengths"? It takes state, reverse, parallel, compile, memory, burnIn, context, rng, lengths, mask, resets, threads, shards",
      "TypeError: unroll: there is no option "reset", did you mean "resets"? It takes state, reverse, parallel, compile, memory, burnIn, context, rng, lengths, mask, resets, threads, shards",
      "TypeError: unroll: there is no option "burnin", did you mean "burnIn"? It takes state, reverse, parallel, compile, memory, burnIn, context, rng, lengths, mask, resets, threads, shards",
      "TypeError: truncated: there is no option "burnin", did you mean "burnIn"? It takes k1, k2, loss, state, reduction, measure, compile, burnIn, rng, communicator, losses, multiplicity, stale, resume, threads, shards",
    ]
  `);
});

describe("under a mask", () => {
  const mask = bits(1, 0);

  test("a loss needs a row axis, and a count one number for each row", () => {
    const each = [
      (y: Tensor) => y.mean(),
      (y: Tensor) => y.reshape([1, 2]),
      (y: Tensor) => ({ loss: y, count: 2 }),
      (y: Tensor) => ({ loss: y, count: tensor(2) }),
      (y: Tensor) => ({ loss: y, count: tensor([1, 1, 1]) }),
    ];
    expect(each.map((loss) => stepped({ mask }, { loss }))).toMatchInlineSnapshot(`
      [
        "RangeError: truncated: the loss of step 1 has shape [], and a mask needs a first axis of 2 rows, so that those without a step can be left out; losses have one with reduction: "none"",
        "RangeError: truncated: the loss of step 1 has shape [1,2], and a mask needs a first axis of 2 rows, so that those without a step can be left out; losses have one with reduction: "none"",
        "TypeError: truncated: the count of step 1's loss must be a tensor of 2 elements, one for each row, because of the mask, got 2",
        "TypeError: truncated: the count of step 1's loss must be a tensor of 2 elements, one for each row, because of the mask, got []",
        "TypeError: truncated: the count of step 1's loss must be a tensor of 2 elements, one for each row, because of the mask, got [3]",
      ]
    `);
  });

  test("an output needs rows", () => {
    const summed = {
      ...cell,
      step: (...[p, x, h]: Parameters<typeof cell.step>) => {
        const [y, next] = cell.step(p, x, h);
        return [y.sum(), next] as const;
      },
    };
    const whole = tensor(Int32Array.of(1, 0, 1, 1, 1, 1), { shape: [T, B] });
    expect(said(() => unroll(summed, params, inputs, { mask: whole }))).toMatchInlineSnapshot(
      `"RangeError: unroll: step 1: the output has shape [], and a mask needs a first axis of 2 rows, so that those without a step can be left out; return one row for each of the input"`,
    );
  });

  test("the state needs one shape", () => {
    const growing = defineCell({
      params: () => ({ w: init.constant(1, 1) }),
      state: () => ({ h: init.zeros(1) }),
      step: ({ w }, x: Tensor, { h }) => {
        const y = x.mul(w);
        return [y, { h: y.add(h.sum(-1, { keepDims: true })).broadcastTo([B, h.shape[1]! + 1]) }];
      },
    })({ input: 1, hidden: 1 });
    const own = initialParams(growing, rng(1), { dtype: "float64" });
    const run = (steps: object[]) =>
      said(() => [
        ...truncated(growing, own, steps as TimeStep[], { k1: 1, k2: 2, loss: squares }),
      ]);
    expect([
      run([{ ...step(), mask }]),
      run([step(), { ...step(), reset: bits(1, 0) }]),
    ]).toMatchInlineSnapshot(`
      [
        "RangeError: truncated: step 1: a mask chooses among 2 rows, and the state "h" is [2,2] on one side and [2,1] on the other; give the state a first axis of 2 rows, and one shape at all steps",
        "RangeError: truncated: step 2: a reset chooses among 2 rows, and the state "h" is [2,1] on one side and [2,2] on the other; give the state a first axis of 2 rows, and one shape at all steps",
      ]
    `);
  });
});

test("burn-in", () => {
  const steps = (count: number) => Array.from({ length: count }, step);
  expect([
    streamed(steps(0), { burnIn: 2 }),
    streamed(steps(1), { burnIn: 2 }),
    streamed(steps(2), { burnIn: 2 }),
    ...[-1, 1.5, Number.NaN, "1", null, Number.POSITIVE_INFINITY].map((burnIn) =>
      streamed(steps(3), { burnIn }),
    ),
    ...[-1, 1.5, 3, "1", null].map((burnIn) => unrolled({ burnIn })),
    unrolled({ burnIn: 1, reverse: true }),
  ]).toMatchInlineSnapshot(`
    [
      "RangeError: truncated: the stream has no steps",
      "RangeError: truncated: the stream ended after 1 step, and burnIn is 2; a stream needs at least one step after the burn-in",
      "RangeError: truncated: the stream ended after 2 steps, and burnIn is 2; a stream needs at least one step after the burn-in",
      "RangeError: truncated: burnIn must be a whole number of steps of at least 0, got -1",
      "RangeError: truncated: burnIn must be a whole number of steps of at least 0, got 1.5",
      "RangeError: truncated: burnIn must be a whole number of steps of at least 0, got NaN",
      "RangeError: truncated: burnIn must be a whole number of steps of at least 0, got "1"",
      "RangeError: truncated: burnIn must be a whole number of steps of at least 0, got null",
      "RangeError: truncated: burnIn must be a whole number of steps of at least 0, got Infinity",
      "RangeError: unroll: burnIn must be a whole number from 0 to 2, which leaves one of the 3 steps, got -1",
      "RangeError: unroll: burnIn must be a whole number from 0 to 2, which leaves one of the 3 steps, got 1.5",
      "RangeError: unroll: burnIn must be a whole number from 0 to 2, which leaves one of the 3 steps, got 3",
      "RangeError: unroll: burnIn must be a whole number from 0 to 2, which leaves one of the 3 steps, got 1",
      "RangeError: unroll: burnIn must be a whole number from 0 to 2, which leaves one of the 3 steps, got null",
      "TypeError: unroll: burnIn warms up the state before the first step, and reverse begins with the last; leave one of them out",
    ]
  `);
});

test("a mask that an outer tape tracks", () => {
  const tape = new Tape();
  const mask = tape.watch(tensor([1, 0], { dtype: "float64" })).mul(1);
  const threw = said(() =>
    grad((x: Tensor) => {
      const own = x.greater(0);
      for (const _ of truncated(cell, params, [{ ...step(), mask: own }], {
        k1: 1,
        k2: 1,
        loss: squares,
      }));
      return x.sum();
    })(tensor([1, -1])),
  );
  expect([threw, stepped({ mask })]).toMatchInlineSnapshot(`
    [
      "TypeError: truncated: the mask [2] is tracked by a tape around the stream (grad, vjp, jvp or one of yours); a window is a constant to that tape, so derivatives through it would be zero; differentiate unroll instead, or pass detach(...)ed values",
      "TypeError: truncated: the mask [2] is tracked by a tape around the stream (grad, vjp, jvp or one of yours); a window is a constant to that tape, so derivatives through it would be zero; differentiate unroll instead, or pass detach(...)ed values",
    ]
  `);
});

test("noise and its generator", () => {
  const noisy = (noise: Partial<Noise>) =>
    defineCell({
      params: () => ({ w: init.constant(1, 1) }),
      state: () => ({ h: init.zeros(1) }),
      noise: () => ({
        keep: {
          shape: [1],
          per: "step",
          rows: true,
          draw: () => Float64Array.of(1),
          ...noise,
        } as Noise,
      }),
      step: ({ w }, x: Tensor, { h }, _sizes, drawn) => {
        const y = x
          .mul(w)
          .add(h)
          .mul(drawn?.keep ?? 1);
        return [y, { h: y }];
      },
    })({ input: 1, hidden: 1 });
  const run = (noise: Partial<Noise>, random: unknown = rng(1)) => {
    const own = noisy(noise);
    return said(() =>
      unroll(own, { w: tensor([1], { dtype: "float64" }) }, inputs, { rng: random as never }),
    );
  };
  expect([
    run({ draw: () => new Float64Array(0) }),
    run({ draw: () => new Float64Array(2) }),
    run({ draw: () => [1] as never }),
    run({ draw: (() => undefined) as never }),
    run({ shape: [2] }),
    run({ shape: [-1] }),
    run({ shape: 1 as never }),
    run({ per: "sequence" as never }),
    run({ per: undefined as never }),
    run({ rows: undefined as never }),
    run({}, 1),
    run({}, "noise"),
    run({}, {}),
  ]).toMatchInlineSnapshot(`
    [
      "TypeError: the noise "keep" has shape [1], so draw must return a Float64Array of 1 number, got 0 of them",
      "TypeError: the noise "keep" has shape [1], so draw must return a Float64Array of 1 number, got 2 of them",
      "TypeError: the noise "keep" has shape [1], so draw must return a Float64Array of 1 number, got an array",
      "TypeError: the noise "keep" has shape [1], so draw must return a Float64Array of 1 number, got undefined",
      "TypeError: the noise "keep" has shape [2], so draw must return a Float64Array of 2 numbers, got 1 of them",
      "TypeError: unroll: the noise "keep" must have a shape, a list of whole numbers of at least 1, got [-1]",
      "TypeError: unroll: the noise "keep" must have a shape, a list of whole numbers of at least 1, got number",
      "TypeError: unroll: the noise "keep" must be drawn per "window" or "step", got "sequence"",
      "TypeError: unroll: the noise "keep" must be drawn per "window" or "step", got undefined",
      "TypeError: unroll: the noise "keep" must say with rows: true or false whether every row of the batch has its own, got undefined",
      "TypeError: unroll: rng must be a generator, as rng(1) gives, or null, got number",
      "TypeError: unroll: rng must be a generator, as rng(1) gives, or null, got string",
      "TypeError: unroll: rng must be a generator, as rng(1) gives, or null, got object",
    ]
  `);
});

test("a step that returns another state than its cell has", () => {
  const parts = {
    params: () => ({ w: init.constant(0.5) }),
    state: () => ({ h: init.zeros(1), c: init.zeros(1) }),
  };
  const sizes = { input: 1, hidden: 1 };
  const less = defineCell({ ...parts, step: ({ w }, x, { h }) => [x, { h: h.mul(w) } as never] });
  const more = defineCell({
    ...parts,
    step: ({ w }, x, { h, c }) => [x, { h: h.mul(w), c, old: h } as never],
  });
  for (const cell of [less(sizes), more(sizes)]) {
    const params = initialParams(cell, rng(1));
    const said =
      /step 1: the state that the step returns must have the tensors of the cell's state/;
    expect(() => unroll(cell, params, ones([3, 1, 1]))).toThrow(said);
    const stream = [{ input: ones([1, 1]), target: ones([1, 1]) }];
    const options = { k1: 1, k2: 1, loss: (y: Tensor) => y.mul(params.w) };
    expect(() => truncated(cell, params, stream, options).next()).toThrow(said);
  }
});

test("what is true or false, and nothing else", () => {
  const cell = gru({ input: 1, hidden: 1 });
  const params = initialParams(cell, rng(1));
  const run = (options: object) => () => unroll(cell, params, ones([2, 1, 1]), options);
  expect(run({ reverse: "false" })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: unroll: reverse must be true or false, got "false"]`,
  );
  expect(run({ parallel: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: unroll: parallel must be true or false, got 1]`,
  );
});

test("what belongs elsewhere", () => {
  const cell = gru({ input: 1, hidden: 1 });
  const params = initialParams(cell, rng(1));
  const step = { input: ones([1, 1]), target: ones([1, 1]) };
  const run = (given: object, options: object) => () =>
    truncated(cell, params, [{ ...step, ...given }], {
      ...{ k1: 1, k2: 1, loss: (y: Tensor) => y },
      ...options,
    }).next();
  expect(run({ lengths: [0] }, {})).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: truncated: step 1 of the stream has "lengths", which belongs to a whole sequence { inputs, targets, lengths }; a step takes reset and mask]`,
  );
  expect(run({}, { lengths: [1] })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: truncated: lengths is no option, it belongs to the stream, as in { inputs, targets, lengths }]`,
  );
  expect(run({}, { measure: true })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: truncated: measure must be a function of a window's index, got true; (index) => index % 10 === 0 measures every tenth]`,
  );
});

test("coefficients of a cell that is linear in its state", () => {
  const make = (transition: () => unknown) => {
    const cell = defineLinearCell({
      params: () => ({ w: init.constant(0.5, 2) }),
      state: () => ({ h: init.zeros(2) }),
      transition: transition as never,
    })({ input: 2, hidden: 2 });
    return () => unroll(cell, initialParams(cell, rng(1)), ones([2, 3, 2]));
  };
  expect(make(() => ({ a: 1, b: ones([3, 2]) }))).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: unroll: step 1: defineLinearCell: transition must give a as the state, [3,2], or without its rows, [2], got number]`,
  );
  expect(make(() => ({ a: ones([2]), b: ones([3, 1]) }))).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: unroll: step 1: defineLinearCell: transition must give b as the state, [3,2], or without its rows, [2], got [3,1]]`,
  );
});
