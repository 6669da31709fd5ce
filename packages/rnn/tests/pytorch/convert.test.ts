import { type FloatDType, ones, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { embedding, init, layerNorm, linear, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bidirectional,
  elman,
  gru,
  gruResetBefore,
  initialParams,
  irnn,
  lstm,
  lstmProjected,
  sequential,
  stacked,
  variationalDropout,
  weightDrop,
  zoneout,
} from "../../src/index.ts";
import { fromPyTorch, initialPyTorch, type StateDict, toPyTorch } from "../../src/pytorch.ts";

const arrays = (values: unknown) =>
  Object.fromEntries(tree.leavesWithPath(values).map(([path, x]) => [path, x.toArray()]));
const shapes = (dict: StateDict) =>
  Object.fromEntries(Object.entries(dict).map(([name, { shape }]) => [name, shape]));

const sizes = fc.record({
  input: fc.integer({ min: 1, max: 4 }),
  hidden: fc.integer({ min: 1, max: 4 }),
});
const families = {
  elman,
  relu: (own: { input: number; hidden: number }) => elman({ ...own, activation: "relu" }),
  irnn,
  lstm,
  projected: (own: { input: number; hidden: number }) =>
    lstmProjected({ ...own, projection: Math.max(1, own.hidden - 1) }),
  gru,
};
const dtypes = fc.constantFrom<FloatDType>("float32", "float64");

describe.each(Object.entries(families))("%s", (_name, family) => {
  test("there and back is the same, to the last bit and in its dtype", () => {
    fc.assert(
      fc.property(sizes, dtypes, fc.constantFrom("", "rnn.", "a.b."), (own, dtype, prefix) => {
        const cell = family(own);
        const params = initialPyTorch(cell, rng(1), { dtype });
        const dict = toPyTorch(params, cell, { prefix });
        const again = fromPyTorch(dict, cell, { prefix });
        expect(arrays(again)).toEqual(arrays(params));
        expect(Object.keys(again)).toEqual(Object.keys(cell.params));
        expect(tree.leaves(again).every((x) => x.dtype === dtype)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("biases are added, and any split of them is the same", () => {
    const cell = family({ input: 2, hidden: 3 });
    const dict = toPyTorch(initialPyTorch(cell, rng(1), { dtype: "float64" }), cell);
    const both = ["bias_ih_l0", "bias_hh_l0"].map((name) => dict[name]!);
    const moved = tensor(Float64Array.from({ length: both[0]!.size }, (_, i) => i));
    const other = {
      ...dict,
      bias_ih_l0: both[0]!.sub(moved),
      bias_hh_l0: both[1]!.add(moved),
    };
    const [a, b] = [dict, other].map(
      (each) => fromPyTorch(each, cell) as { b: Tensor; bn?: Tensor },
    );
    // The candidate of a GRU reads its two biases apart.
    const apart = cell.params.b.shape[0]! - ("bn" in cell.params ? 3 : 0);
    const summed = (x: Tensor) => x.slice([[0, apart]]).toTypedArray();
    const distance = summed(a!.b).map((value, i) => Math.abs(value - summed(b!.b)[i]!));
    expect(Math.max(...distance)).toBeLessThan(1e-14);
    if (b!.bn) expect(b!.bn.toArray()).toEqual(other.bias_hh_l0.slice([[apart, 9]]).toArray());
  });

  test("without biases they are zeros, and are left out on the way back", () => {
    const cell = family({ input: 2, hidden: 3 });
    const dict = toPyTorch(initialPyTorch(cell, rng(1)), cell);
    const { bias_ih_l0, bias_hh_l0, ...rest } = dict;
    const params = fromPyTorch(rest, cell) as { b: Tensor; bn?: Tensor };
    for (const b of [params.b, params.bn])
      expect(b?.toTypedArray().every((x) => x === 0)).not.toBe(false);
    expect(Object.keys(toPyTorch(params as never, cell, { bias: false }))).toEqual(
      Object.keys(rest),
    );
    expect(bias_ih_l0!.shape).toEqual(bias_hh_l0!.shape);
  });
});

const model = sequential({
  embedding: embedding({ input: 7, output: 2 }),
  rnn: gru({ input: 2, hidden: 3 }),
  norm: layerNorm({ input: 3 }),
  head: linear({ input: 3, output: 7, bias: false }),
});

test("a model is converted at once, by the names of its parts", () => {
  const params = initialPyTorch(model, rng(1));
  const dict = toPyTorch(params, model);
  expect(shapes(dict)).toEqual({
    "embedding.weight": [7, 2],
    "rnn.weight_ih_l0": [9, 2],
    "rnn.weight_hh_l0": [9, 3],
    "rnn.bias_ih_l0": [9],
    "rnn.bias_hh_l0": [9],
    "norm.weight": [3],
    "norm.bias": [3],
    "head.weight": [7, 3],
  });
  expect(arrays(fromPyTorch(dict, model))).toEqual(arrays(params));
  expect(dict["head.weight"]!.transpose().toArray()).toEqual(params.head.W.toArray());
});

test("layers and directions have the suffixes of PyTorch, in its order", () => {
  const both = stacked([
    bidirectional(lstmProjected({ input: 2, hidden: 3, projection: 1 })),
    bidirectional(lstmProjected({ input: 2, hidden: 3, projection: 1 })),
  ]);
  const params = initialPyTorch(both, rng(1));
  const dict = toPyTorch(params, both);
  const names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"];
  expect(Object.keys(dict)).toEqual(
    ["_l0", "_l0_reverse", "_l1", "_l1_reverse"].flatMap((suffix) =>
      names.map((name) => name + suffix),
    ),
  );
  const again = fromPyTorch(dict, both);
  expect(Array.isArray(again)).toBe(true);
  expect(arrays(again)).toEqual(arrays(params));
  expect(dict.weight_ih_l1_reverse!.transpose().toArray()).toEqual(params[1].backward.W.toArray());
  const one = bidirectional(gru({ input: 2, hidden: 3 }));
  const ways = initialPyTorch(one, rng(1));
  const written = toPyTorch(ways, one);
  expect(written.weight_hh_l0!.transpose().toArray()).toEqual(ways.forward.U.toArray());
  expect(arrays(fromPyTorch(written, one))).toEqual(arrays(ways));
});

test("noise around a cell, or between layers, changes no parameter", () => {
  const plain = stacked([gru({ input: 2, hidden: 3 }), gru({ input: 3, hidden: 3 })]);
  const params = initialPyTorch(plain, rng(1));
  const noisy = stacked(
    [
      variationalDropout(gru({ input: 2, hidden: 3 }), { rate: 0.5 }),
      zoneout(weightDrop(gru({ input: 3, hidden: 3 }), { rate: 0.5 }), { rate: 0.5 }),
    ],
    { dropout: 0.5 },
  );
  expect(arrays(toPyTorch(params, noisy))).toEqual(arrays(toPyTorch(params, plain)));
});

test("only names with the prefix count, and a layer may stand alone", () => {
  const head = linear({ input: 2, output: 1 });
  const dict = {
    epoch: tensor([3], { dtype: "int32" }),
    "head.weight": tensor([[1, 2]]),
    "head.bias": tensor([3]),
  };
  const params = fromPyTorch(dict, head, { prefix: "head." });
  expect(arrays(params)).toEqual({ W: [[1], [2]], b: [3] });
  expect(arrays(toPyTorch(params, head, { prefix: "head." }))).toEqual({
    "head.weight": [[1, 2]],
    "head.bias": [3],
  });
});

test("names of nn.LSTMCell are read, and written when asked for", () => {
  const cell = lstm({ input: 2, hidden: 3 });
  const params = initialPyTorch(cell, rng(1));
  const dict = toPyTorch(params, cell, { cellNames: true });
  expect(Object.keys(dict)).toEqual(["weight_ih", "weight_hh", "bias_ih", "bias_hh"]);
  expect(arrays(fromPyTorch(dict, cell))).toEqual(arrays(params));
});

test("gradients stand in both biases", () => {
  const cell = gru({ input: 1, hidden: 1 });
  const gradients = {
    W: tensor([[1, 2, 3]]),
    U: tensor([[4, 5, 6]]),
    b: tensor([7, 8, 9]),
    bn: tensor([10]),
  };
  const options = { gradients: true };
  expect(arrays(toPyTorch(gradients, cell, options))).toEqual({
    weight_ih_l0: [[1], [2], [3]],
    weight_hh_l0: [[4], [5], [6]],
    bias_ih_l0: [7, 8, 9],
    bias_hh_l0: [7, 8, 10],
  });
  expect(Object.keys(toPyTorch(gradients, cell, { ...options, bias: false }))).toHaveLength(2);
});

test("nothing is shared: what consumes the parameters leaves the state dict alone", () => {
  const table = embedding({ input: 2, output: 2 });
  const dict = { weight: ones([2, 2]) };
  expect(fromPyTorch(dict, table).table).not.toBe(dict.weight);
  const params = { table: ones([2, 2]) };
  expect(toPyTorch(params, table).weight).not.toBe(params.table);
});

test("other initialisers are no other cell", () => {
  const cell = lstm({ input: 2, hidden: 2 });
  const other = { ...cell, params: { ...cell.params, b: init.ones(8) } };
  const params = initialParams(other, rng(1));
  expect(toPyTorch(params, other).bias_ih_l0!.toArray()).toEqual(Array(8).fill(1));
});

describe("initialPyTorch", () => {
  const hidden = 25;
  const limit = 1 / Math.sqrt(hidden);
  const values = (x: Tensor) => x.toTypedArray() as Float64Array;
  const variance = (x: Float64Array) => x.reduce((sum, v) => sum + v * v, 0) / x.length;
  const largest = (x: Float64Array) => Math.max(...x.map(Math.abs));

  test("weights are uniform within 1 / sqrt(hidden), biases the sum of two such draws", () => {
    const drawn = Array.from({ length: 40 }, (_, seed) =>
      initialPyTorch(lstm({ input: 7, hidden }), rng(seed), { dtype: "float64" }),
    );
    const all = (name: "W" | "U" | "b") =>
      Float64Array.from(drawn.flatMap((each) => [...values(each[name])]));
    for (const name of ["W", "U"] as const) {
      expect(largest(all(name))).toBeLessThanOrEqual(limit);
      expect(largest(all(name))).toBeGreaterThan(0.999 * limit);
      expect(variance(all(name)) / (limit ** 2 / 3)).toBeCloseTo(1, 1);
    }
    expect(largest(all("b"))).toBeLessThanOrEqual(2 * limit);
    expect(largest(all("b"))).toBeGreaterThan(1.8 * limit);
    expect(variance(all("b")) / ((2 * limit ** 2) / 3)).toBeCloseTo(1, 1);
    const mean = all("b").reduce((sum, v) => sum + v, 0) / all("b").length;
    expect(Math.abs(mean)).toBeLessThan((5 * limit) / Math.sqrt(6000));
  });

  test("the candidate of a GRU has its biases apart, and each is one draw", () => {
    const drawn = Array.from({ length: 200 }, (_, seed) =>
      initialPyTorch(gru({ input: 2, hidden }), rng(seed), { dtype: "float64" }),
    );
    const of = (read: (each: (typeof drawn)[0]) => Tensor) =>
      Float64Array.from(drawn.flatMap((each) => [...values(read(each))]));
    const gates = of(({ b }) => b.slice([[0, 2 * hidden]]));
    expect(variance(gates) / ((2 * limit ** 2) / 3)).toBeCloseTo(1, 1);
    for (const once of [of(({ b }) => b.slice([[2 * hidden, 3 * hidden]])), of(({ bn }) => bn)]) {
      expect(largest(once)).toBeLessThanOrEqual(limit);
      expect(variance(once) / (limit ** 2 / 3)).toBeCloseTo(1, 1);
    }
  });

  test("layers start as PyTorch's, whatever their own initialisers are", () => {
    const own = {
      ...embedding({ input: 500, output: 40 }),
      params: { table: init.zeros(500, 40) },
    };
    const parts = sequential({
      own,
      norm: layerNorm({ input: 40 }),
      head: linear({ input: 40, output: 60 }),
    });
    const params = initialPyTorch(parts, rng(1), { dtype: "float64" });
    expect(variance(values(params.own.table))).toBeCloseTo(1, 1);
    expect(new Set(values(params.norm.gain))).toEqual(new Set([1]));
    expect(new Set(values(params.norm.bias))).toEqual(new Set([0]));
    const bound = 1 / Math.sqrt(40);
    for (const x of [params.head.W, params.head.b].map(values)) {
      expect(largest(x)).toBeLessThanOrEqual(bound);
      expect(largest(x)).toBeGreaterThan(0.9 * bound);
    }
  });

  test("a seed gives the same parameters, and each entry its own", () => {
    const twice = [1, 2].map(() => initialPyTorch(model, rng(7)));
    expect(arrays(twice[0])).toEqual(arrays(twice[1]));
    const alone = initialPyTorch(gru({ input: 2, hidden: 3 }), rng(7));
    expect(arrays(alone)).not.toEqual(arrays(twice[0]!.rnn));
  });

  test("what PyTorch has not is refused", () => {
    const cell = gruResetBefore({ input: 2, hidden: 3 });
    expect(() => initialPyTorch(cell, rng(1))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: gruResetBefore has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    expect(() => initialPyTorch(model, 3 as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialize: expected a random generator, got 3; make one with rng(seed)]`,
    );
    expect(() =>
      initialPyTorch(model, rng(1), { dtpe: "float64" } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: there is no option "dtpe", did you mean "dtype"? It takes dtype, backend]`,
    );
  });
});
