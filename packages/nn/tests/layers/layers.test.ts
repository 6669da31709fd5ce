import { readFileSync } from "node:fs";
import {
  createBackend,
  type NestedNumbers,
  ones,
  scope,
  Tape,
  type Tensor,
  tensor,
} from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  dropout,
  embedding,
  initialize,
  layerNorm,
  linear,
  rng,
  rngFrom,
} from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });
const float64 = { dtype: "float64", backend } as const;

const flat = (x: NestedNumbers): number[] => (typeof x === "number" ? [x] : x.flatMap(flat));
function expectClose(actual: Tensor, expected: NestedNumbers): void {
  const wanted = flat(expected);
  [...actual.toTypedArray()].forEach((v, i) => {
    expect(v).toBeCloseTo(wanted[i]!, 12);
  });
}

describe("linear", () => {
  const layer = linear({ input: 3, output: 2 });
  const params = initialize(layer.params, rng(1), float64);

  test("is x W + b for any leading axes", () => {
    const x = tensor(
      Float64Array.from({ length: 24 }, (_, i) => Math.sin(i)),
      { ...float64, shape: [4, 2, 3] },
    );
    const y = layer.apply(params, x);
    expect(y.shape).toEqual([4, 2, 2]);
    const W = params.W.toArray() as number[][];
    const rows = (x.toArray() as number[][][]).map((row) =>
      row.map((v) =>
        [0, 1].map((j) => v.reduce((sum, element, i) => sum + element * W[i]![j]!, 0)),
      ),
    );
    expectClose(y, rows);
    expect(layer.apply(params, x.slice([0, 0])).shape).toEqual([2]);
  });

  test("has no bias when told so", () => {
    const bare = linear({ input: 3, output: 2, bias: false });
    expect(Object.keys(bare.params)).toEqual(["W"]);
    expect(bare.apply({ W: params.W }, ones([3], float64)).shape).toEqual([2]);
  });
});

test("embedding picks rows, and gradients go to the rows that were picked", () => {
  const layer = embedding({ input: 4, output: 2 });
  const tape = new Tape();
  const params = tape.watch(initialize(layer.params, rng(2), { backend }));
  const y = layer.apply(
    params,
    tensor(
      [
        [1, 3],
        [1, 1],
      ],
      { dtype: "int32", backend },
    ),
  );
  expect(y.shape).toEqual([2, 2, 2]);
  expect(y.slice([0, 1]).toArray()).toEqual(params.table.slice([3]).toArray());
  expect(tape.gradient(y.sum(), params).table.toArray()).toEqual([
    [0, 0],
    [3, 3],
    [0, 0],
    [1, 1],
  ]);
});

describe("layerNorm", () => {
  const { layerNorm: expected } = JSON.parse(
    readFileSync(new URL("../fixtures/pytorch.json", import.meta.url), "utf8"),
  ) as {
    layerNorm: Record<"x" | "gain" | "bias" | "g" | "y", NestedNumbers> & {
      gradients: NestedNumbers[];
    };
  };

  test("has PyTorch's values and gradients", () => {
    const tape = new Tape();
    const x = tape.watch(tensor(expected.x, float64));
    const params = tape.watch({
      gain: tensor(expected.gain, float64),
      bias: tensor(expected.bias, float64),
    });
    const y = layerNorm({ input: 5 }).apply(params, x);
    expectClose(y, expected.y);
    const loss = y.mul(tensor(expected.g, float64)).sum();
    tape.gradient(loss, [x, params.gain, params.bias]).forEach((g, i) => {
      expectClose(g, expected.gradients[i]!);
    });
  });

  test("does not see the mean and the scale of its input", () => {
    const layer = layerNorm({ input: 4, epsilon: 1e-12 });
    const params = initialize(layer.params, rng(1), float64);
    const numbers = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(numbers, fc.double({ min: 0.5, max: 9, noNaN: true }), (values, scale) => {
        fc.pre(Math.max(...values) - Math.min(...values) > 1);
        const x = tensor(values, float64);
        const moved = layer.apply(params, x.mul(scale).add(3)).toTypedArray();
        layer
          .apply(params, x)
          .toTypedArray()
          .forEach((v, i) => {
            expect(moved[i]).toBeCloseTo(v, 8);
          });
      }),
    );
  });
});

describe("dropout", () => {
  test("drops the share it was told, and keeps the expected value", () => {
    for (const rate of [0.1, 0.5, 0.9]) {
      const n = 50_000;
      const y = dropout({ rate })
        .apply(ones([n], { backend }), rng(3))
        .toTypedArray();
      const dropped = y.filter((v) => v === 0).length / n;
      expect(Math.abs(dropped - rate)).toBeLessThan(
        (4 * Math.sqrt(rate * (1 - rate))) / Math.sqrt(n),
      );
      expect([...new Set(y)].sort()).toEqual([0, Math.fround(1 / (1 - rate))]);
    }
  });

  test("the mask is a constant on the tape: the gradient is the mask", () => {
    const tape = new Tape();
    const x = tape.watch(ones([100], { backend }));
    const y = dropout({ rate: 0.4 }).apply(x, rng(4));
    expect(tape.gradient(y.sum(), x).toArray()).toEqual(y.toArray());
  });

  test("is the identity without a stream, and draws nothing at rate 0", () => {
    const x = ones([3], { backend });
    expect(dropout({ rate: 0.5 }).apply(x, undefined)).toBe(x);
    const from = rng(1);
    expect(dropout({ rate: 0 }).apply(x, from)).toBe(x);
    expect(from.getState()).toEqual(rng(1).getState());
  });

  test("a resumed stream drops the same elements", () => {
    const layer = dropout({ rate: 0.5 });
    const from = rng(5);
    layer.apply(ones([10], { backend }), from);
    const resumed = rngFrom(from.getState());
    const x = ones([200], { backend });
    expect(layer.apply(x, resumed).toArray()).toEqual(layer.apply(x, from).toArray());
  });

  test("the mask is returned at once, or with the tape", () => {
    const before = backend.memory.bytesInUse;
    const layer = dropout({ rate: 0.5 });
    scope(() => {
      const x = ones([1000], { backend });
      const withX = backend.memory.bytesInUse;
      const y = layer.apply(x, rng(6));
      expect(backend.memory.bytesInUse - withX).toBe(withX - before);
      const tape = new Tape();
      layer.apply(tape.watch(x), rng(6));
      expect(y.backend.memory.bytesInUse - withX).toBe(3 * (withX - before));
      tape.forget(tape.mark());
      expect(backend.memory.bytesInUse - withX).toBe(withX - before);
    });
    expect(backend.memory.bytesInUse).toBe(before);
  });
});

test("errors are sentences", () => {
  expect(() => linear({ input: 0, output: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: linear: input must be a whole number of at least 1, got 0]`,
  );
  expect(() => linear({ input: "2" as never, output: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: linear: input must be a whole number of at least 1, got "2"]`,
  );
  expect(() => embedding({ input: 2, output: 1.5 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: embedding: output must be a whole number of at least 1, got 1.5]`,
  );
  expect(() => layerNorm({ input: 3, epsilon: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: layerNorm: epsilon must be a finite number above 0, got 0]`,
  );
  expect(() => dropout({ rate: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: dropout: rate must be at least 0 and below 1, got 1; it is the share of elements that are dropped]`,
  );
  const x = ones([2, 4], { backend });
  const layer = linear({ input: 3, output: 1 });
  const params = initialize(layer.params, rng(1), { backend });
  expect(() => layer.apply(params, x)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: linear: x must have 3 elements along its last axis, got shape [2,4]]`,
  );
  const norm = layerNorm({ input: 3 });
  expect(() =>
    norm.apply(initialize(norm.params, rng(1), { backend }), x),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: layerNorm: x must have 3 elements along its last axis, got shape [2,4]]`,
  );
});

describe("parameters that are not the layer's are refused", () => {
  const said = (act: () => unknown): string => {
    try {
      return String(act());
    } catch (error) {
      return String(error);
    }
  };
  const of = (...shape: number[]) => ones(shape, { backend });
  const x = of(5, 2);

  test("by linear", () => {
    const layer = linear({ input: 2, output: 1 });
    const bare = linear({ input: 2, output: 1, bias: false });
    const W = of(2, 1);
    const others = [
      { W },
      { W, b: of(3) },
      { W: of(2, 2), b: of(1) },
      { W: of(2), b: of(1) },
      null,
    ];
    expect([
      ...others.map((params) => said(() => layer.apply(params as never, x))),
      said(() => bare.apply({ W, b: of(1) } as never, x)),
      said(() => layer.apply({ W, b: of(1) }, undefined as never)),
      said(() => layer.apply({ W, b: of(1) }, [[1, 2]] as never)),
      said(() => linear({ input: 2, output: 1, bias: "false" as never })),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: linear: params.b must be a tensor of shape [1], got undefined; initialize(layer.params, rng) draws it",
        "TypeError: linear: params.b must be a tensor of shape [1], got Tensor float32 [3]; initialize(layer.params, rng) draws it",
        "TypeError: linear: params.W must be a tensor of shape [2,1], got Tensor float32 [2,2]; initialize(layer.params, rng) draws it",
        "TypeError: linear: params.W must be a tensor of shape [2,1], got Tensor float32 [2]; initialize(layer.params, rng) draws it",
        "TypeError: linear: params.W must be a tensor of shape [2,1], got undefined; initialize(layer.params, rng) draws it",
        "TypeError: linear: params.b was given to a layer with bias: false; leave out one of the two",
        "TypeError: linear: x must be a tensor, got undefined",
        "TypeError: linear: x must be a tensor, got [[1,2]]",
        "TypeError: linear: bias must be true or false, got "false"",
      ]
    `);
  });

  test("by embedding", () => {
    const layer = embedding({ input: 3, output: 2 });
    expect([
      said(() => layer.apply({ table: of(5, 2) }, [4])),
      said(() => layer.apply({} as never, [1])),
      said(() => layer.apply({ table: of(3, 2) }, undefined as never)),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: embedding: params.table must be a tensor of shape [3,2], got Tensor float32 [5,2]; initialize(layer.params, rng) draws it",
        "TypeError: embedding: params.table must be a tensor of shape [3,2], got undefined; initialize(layer.params, rng) draws it",
        "TypeError: gather: expected numbers, nested arrays, a typed array, an ndarray or a tensor, got undefined",
      ]
    `);
  });

  test("by layerNorm", () => {
    const layer = layerNorm({ input: 2 });
    const others = [{ gain: of(2) }, { gain: of(1), bias: of(2) }, { gain: of(2), bias: of(1, 2) }];
    expect([
      ...others.map((params) => said(() => layer.apply(params as never, x))),
      said(() => layer.apply({ gain: of(2), bias: of(2) }, [1, 2] as never)),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: layerNorm: params.bias must be a tensor of shape [2], got undefined; initialize(layer.params, rng) draws it",
        "TypeError: layerNorm: params.gain must be a tensor of shape [2], got Tensor float32 [1]; initialize(layer.params, rng) draws it",
        "TypeError: layerNorm: params.bias must be a tensor of shape [2], got Tensor float32 [1,2]; initialize(layer.params, rng) draws it",
        "TypeError: layerNorm: x must be a tensor, got [1,2]",
      ]
    `);
  });

  test("and so is an epsilon that is 0 in float32", () => {
    const tiny = layerNorm({ input: 2, epsilon: 1e-300 });
    const params = { gain: of(2), bias: of(2) };
    expect(said(() => tiny.apply(params, x))).toMatchInlineSnapshot(
      `"RangeError: layerNorm: epsilon 1e-300 is 0 in float32, the dtype of x; take at least 1e-45, or float64"`,
    );
    const inFloat64 = initialize(tiny.params, rng(1), float64);
    expect(tiny.apply(inFloat64, ones([2], float64)).toArray()).toEqual([0, 0]);
    const least = layerNorm({ input: 2, epsilon: 1e-45 });
    expect(least.apply(params, of(2)).toArray()).toEqual([1, 1]);
  });

  test("and so are dropout's arguments", () => {
    expect([
      said(() => dropout({ rate: "0.5" as never })),
      said(() => dropout({ rate: 0.5 }).apply([1] as never, rng(1))),
    ]).toMatchInlineSnapshot(`
      [
        "RangeError: dropout: rate must be at least 0 and below 1, got "0.5"; it is the share of elements that are dropped",
        "TypeError: dropout: x must be a tensor, got [1]",
      ]
    `);
  });
});
