import { type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  defineCell,
  elman,
  initialParams,
  type TimeStep,
  type TruncatedOptions,
  truncated,
  unroll,
  unrollCost,
} from "../../src/index.ts";
import { firstOfPart } from "../../src/sequences/rows.ts";

const cell = elman({ input: 3, hidden: 4 });
const params = initialParams(cell, rng(1), { dtype: "float64" });
const random = rng(2);
const drawn = (rows: number, columns: number) =>
  tensor(
    Float64Array.from({ length: rows * columns }, () => random.normal()),
    { shape: [rows, columns] },
  );
const steps = (rows: number) =>
  Array.from({ length: 6 }, () => ({ input: drawn(rows, 3), target: drawn(rows, 4) }));
const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
const options = { k1: 2, k2: 2, loss, compile: true } as const;

/** A cell whose rows share something, by a weight that is 0. */
const coupled = defineCell({
  params: ({ input, hidden }) => ({
    W: init.glorot(input, hidden),
    coupling: init.zeros(hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, coupling }, x, { h }) => {
    const next = x
      .matmul(W)
      .add(h)
      .add(h.mean(0, { keepDims: true }).mul(coupling))
      .tanh();
    return [next, { h: next }];
  },
})({ input: 3, hidden: 4 });
const own = initialParams(coupled, rng(1), { dtype: "float64" });

test("options that do not fit are refused in a sentence", () => {
  const given = [
    { threads: 0 },
    { threads: 1.5 },
    { threads: Number.NaN },
    { threads: "all" },
    { threads: 65 },
    { shards: 3 },
    { shards: 0 },
    { shard: 2 },
  ];
  const messages = given.map((more) => {
    try {
      truncated(cell, params, steps(4), { ...options, ...(more as object) });
    } catch (error) {
      return String(error);
    }
    return "";
  });
  expect(messages).toMatchInlineSnapshot(`
    [
      "RangeError: truncated: threads must be "auto" or a whole number from 1 to 64, got 0; 1 runs on the calling thread alone",
      "RangeError: truncated: threads must be "auto" or a whole number from 1 to 64, got 1.5; 1 runs on the calling thread alone",
      "RangeError: truncated: threads must be "auto" or a whole number from 1 to 64, got NaN; 1 runs on the calling thread alone",
      "RangeError: truncated: threads must be "auto" or a whole number from 1 to 64, got "all"; 1 runs on the calling thread alone",
      "RangeError: truncated: threads must be "auto" or a whole number from 1 to 64, got 65; 1 runs on the calling thread alone",
      "RangeError: truncated: shards must be 1, 2, 4 or 8, got 3; leave it out where bits may depend on the number of threads",
      "RangeError: truncated: shards must be 1, 2, 4 or 8, got 0; leave it out where bits may depend on the number of threads",
      "TypeError: truncated: there is no option "shard", did you mean "shards"? It takes k1, k2, loss, state, reduction, measure, compile, burnIn, rng, communicator, losses, multiplicity, stale, resume, threads, shards",
    ]
  `);
  expect(() =>
    truncated(cell, params, steps(6), { ...options, shards: 4 }).next(),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: truncated: shards must divide the rows of a batch, got 4 for 6 rows; choose another batch size, or a smaller number]`,
  );
  expect(() =>
    truncated(cell, params, steps(6), { ...options, compile: false, shards: 4 }).next(),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: truncated: shards must divide the rows of a batch, got 4 for 6 rows; choose another batch size, or a smaller number]`,
  );
  expect(() => unroll(cell, params, zeros([5, 4, 3], { dtype: "float64" }), { shards: 4 })).toThrow(
    "unroll: shards fix the order of sums of compiled loops, so they need compile: true",
  );
  expect(() =>
    unroll(cell, params, zeros([5, 6, 3], { dtype: "float64" }), { compile: true, shards: 4 }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: unroll: shards must divide the rows of a batch, got 4 for 6 rows; choose another batch size, or a smaller number]`,
  );
});

describe("rows that depend on each other", () => {
  test("run on one thread, and the reason is said", () => {
    const [window] = truncated(coupled, own, steps(4), { ...options, threads: 2 });
    const reason = /all rows on one thread, because .* depend on each other/;
    expect(window!.explain()).toMatch(reason);
    const inputs = zeros([5, 4, 3], { dtype: "float64" });
    const { how } = unrollCost(coupled, own, inputs, { compile: true, threads: 2 });
    expect(how).toMatch(reason);
  });

  test.each([true, false])("are refused where shards are asked for, compile %s", (compile) => {
    expect(() =>
      truncated(coupled, own, steps(4), { ...options, compile, shards: 2 }).next(),
    ).toThrow(
      /^truncated: shards need rows that can be computed apart, and .* depend on each other/,
    );
  });

  test("are told from a loss that is one number for all rows", () => {
    const mean = (y: Tensor, target: Tensor) => loss(y, target).mean();
    const [window] = truncated(cell, params, steps(4), { ...options, threads: 2, loss: mean });
    expect(window!.explain()).toContain('as reduction: "none" does');
  });
});

/** Gradients of all windows. */
function gradientsOf(
  given: readonly TimeStep[],
  more: Partial<Pick<TruncatedOptions<object>, "shards" | "compile" | "loss">>,
) {
  const windows = truncated(cell, params, given, { ...options, ...more });
  return Array.from(windows, ({ gradients }) =>
    tree.leaves(gradients).map((g: Tensor) => [...g.toTypedArray()]),
  );
}

test("shards fix the order of sums also where steps cannot be planned", () => {
  const reads = (y: Tensor, target: Tensor) => loss(y, target).mul(1 + 0 * y.sum().item());
  const given = steps(4);
  const planned = gradientsOf(given, { shards: 2 });
  for (const compile of [true, false]) {
    expect(gradientsOf(given, { shards: 2, loss: reads, compile })).toEqual(planned);
  }
});

test("the first row of a part that has a step, or of all where none has", () => {
  const mask = tensor(Int32Array.of(0, 1, 1, 0, 0, 0, 1, 0, 1), { shape: [3, 3] });
  const expected = [
    [0, 1, 0],
    [1, 0, 0],
    [1, 0, 0],
  ];
  expect(firstOfPart(mask).toArray()).toEqual(expected);
  for (const [t, row] of expected.entries()) {
    expect(firstOfPart(mask.slice([t])).toArray()).toEqual(row);
  }
});

test("explain says how many shards run on how many threads", () => {
  const [window] = truncated(cell, params, steps(4), { ...options, threads: 2 });
  expect(window!.explain()).toContain("for each of 2 shards, on 2 threads");
  const [other] = truncated(cell, params, steps(4), { ...options, shards: 4, threads: 1 });
  expect(other!.explain()).toContain("for each of 4 shards, on one thread");
});

test("explain says why small work is not divided", () => {
  const weights = tree.leaves(params).reduce((sum, { size }) => sum + size, 0);
  const whyOf = (length: number) =>
    `; all rows on one thread, because a run makes ${(weights * 4 * length).toLocaleString("en")} products of weights and rows, and threads are tried from 4,194,304 on`;
  const [small] = truncated(cell, params, steps(4), options);
  expect(small!.explain()).toMatch(new RegExp(`${whyOf(options.k1)}$`));
  const inputs = zeros([5, 4, 3], { dtype: "float64" });
  expect(unrollCost(cell, params, inputs, { compile: true }).how).toContain(whyOf(4));
  // Where one thread was asked for, or there is one row, there is nothing to say.
  const [one] = truncated(cell, params, steps(4), { ...options, threads: 1 });
  expect(one!.explain()).not.toContain("because");
  const [row] = truncated(cell, params, steps(1), options);
  expect(row!.explain()).not.toContain("because");
});
