import { createBackend } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as nn from "../../src/index.ts";
import { orthonormalColumns } from "../../src/init/orthogonal.ts";

const { rng } = nn;
const backend = createBackend({ kernels: referenceKernels });
const lengths = fc.integer({ min: 1, max: 9 });

/** `x' x` of a row-major `[m, n]`. */
function gram(x: Float64Array, m: number, n: number): number[][] {
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += x[k * n + i]! * x[k * n + j]!;
      return sum;
    }),
  );
}

describe("distributions", () => {
  const variance = (x: Float64Array) => x.reduce((sum, v) => sum + v * v, 0) / x.length;
  const fanIn = 200;
  const fanOut = 50;
  const expected = {
    glorot: 2 / (fanIn + fanOut),
    he: 2 / fanIn,
    lecun: 1 / fanIn,
  };

  const uniforms = { glorot: nn.init.glorot, he: nn.init.he, lecun: nn.init.lecun };
  const normals = {
    glorot: nn.init.glorotNormal,
    he: nn.init.heNormal,
    lecun: nn.init.lecunNormal,
  };

  test.each(["glorot", "he", "lecun"] as const)(
    "%s has the variance of its paper, uniform and normal",
    (name) => {
      const uniform = uniforms[name](fanIn, fanOut).draw(rng(1));
      expect(variance(uniform) / expected[name]).toBeCloseTo(1, 1);
      const limit = Math.sqrt(3 * expected[name]);
      expect(Math.max(...uniform.map(Math.abs))).toBeLessThanOrEqual(limit);
      expect(Math.max(...uniform.map(Math.abs))).toBeGreaterThan(0.99 * limit);
      const normal = normals[name](fanIn, fanOut).draw(rng(1));
      expect(variance(normal) / expected[name]).toBeCloseTo(1, 1);
      expect(Math.max(...normal.map(Math.abs))).toBeGreaterThan(3 * Math.sqrt(expected[name]));
    },
  );

  test("axes between the first and the last belong to both fans", () => {
    const limit = Math.max(...nn.init.glorot(20, 3, 3, 10).draw(rng(2)).map(Math.abs));
    expect(limit).toBeCloseTo(Math.sqrt(6 / (20 * 9 + 10 * 9)), 3);
  });

  test("uniform and normal have the scale asked for", () => {
    expect(variance(nn.init.uniform(0.3, 100, 100).draw(rng(3)))).toBeCloseTo(0.03, 3);
    expect(variance(nn.init.normal(0.3, 100, 100).draw(rng(3)))).toBeCloseTo(0.09, 2);
    expect([...nn.init.uniform(0, 3).draw(rng(3)).map(Math.abs)]).toEqual([0, 0, 0]);
  });

  test("constants are constant, whatever the stream", () => {
    expect([...nn.init.zeros(2, 2).draw(rng(1))]).toEqual([0, 0, 0, 0]);
    expect([...nn.init.ones(3).draw(rng(1))]).toEqual([1, 1, 1]);
    expect([...nn.init.constant(-0.5).draw(rng(1))]).toEqual([-0.5]);
    expect([...nn.init.identity(2).draw(rng(1))]).toEqual([1, 0, 0, 1]);
    expect([...nn.init.identity(2, -0.5).draw(rng(1))]).toEqual([-0.5, 0, 0, -0.5]);
    expect([...nn.init.zeros(0, 4).draw(rng(1))]).toEqual([]);
  });
});

describe("orthogonal", () => {
  test("the columns, or the rows where there are fewer, are orthogonal and of length gain", () => {
    fc.assert(
      fc.property(
        lengths,
        lengths,
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        fc.nat(),
        (m, n, gain, seed) => {
          const q = nn.init.orthogonal(m, n, gain).draw(rng(seed));
          const transposed = Float64Array.from(
            { length: m * n },
            (_, i) => q[(i % m) * n + Math.floor(i / m)]!,
          );
          const products = m >= n ? gram(q, m, n) : gram(transposed, n, m);
          products.forEach((row, i) => {
            row.forEach((v, j) => {
              expect(v).toBeCloseTo(i === j ? gain * gain : 0, 12);
            });
          });
        },
      ),
    );
  });

  test("it is the Q of a QR decomposition with a positive diagonal", () => {
    fc.assert(
      fc.property(lengths, lengths, fc.nat(), (a, b, seed) => {
        const [m, n] = a > b ? [a, b] : [b, a];
        const from = rng(seed);
        const x = Float64Array.from({ length: m * n }, () => from.normal());
        const q = orthonormalColumns(x.slice(), m, n);
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= i; j++) {
            let r = 0;
            for (let k = 0; k < m; k++) r += q[k * n + i]! * x[k * n + j]!;
            if (i === j) expect(r).toBeGreaterThan(0);
            else expect(r).toBeCloseTo(0, 11);
          }
        }
      }),
    );
  });

  test("no direction is preferred: elements have mean 0 and mean square 1 / n", () => {
    const n = 3;
    const count = 4000;
    const sums = new Float64Array(n * n);
    const squares = new Float64Array(n * n);
    const root = rng(5);
    for (let i = 0; i < count; i++) {
      nn.init
        .orthogonal(n)
        .draw(root.split(String(i)))
        .forEach((v, at) => {
          sums[at]! += v / count;
          squares[at]! += (v * v) / count;
        });
    }
    for (const sum of sums)
      expect(Math.abs(sum)).toBeLessThan((4.5 * Math.sqrt(1 / n)) / Math.sqrt(count));
    for (const square of squares) expect(square).toBeCloseTo(1 / n, 1);
  });
});

describe("initialize", () => {
  test("keeps the structure, leaves alone what is no initializer, and takes dtype and backend", () => {
    const tree = {
      layers: [{ W: nn.init.glorot(2, 3) }, { W: nn.init.glorot(3, 1) }],
      b: nn.init.zeros(),
      note: "text",
      n: 3,
    };
    const params = nn.initialize(tree, rng(1), { dtype: "float64", backend });
    expect(params.layers.map(({ W }) => W.shape)).toEqual([
      [2, 3],
      [3, 1],
    ]);
    expect(params.b.item()).toBe(0);
    expect([params.note, params.n]).toEqual(["text", 3]);
    expect(params.layers[0]!.W.dtype).toBe("float64");
    expect(params.layers[0]!.W.backend).toBe(backend);
  });

  test("each parameter is drawn from the generator split by its path, so neighbours do not matter", () => {
    const options = { dtype: "float64", backend } as const;
    const alone = nn.initialize({ a: { W: nn.init.normal(1, 4) } }, rng(9), options);
    const among = nn.initialize(
      { z: nn.init.normal(1, 7), a: { b: nn.init.normal(1, 2), W: nn.init.normal(1, 4) } },
      rng(9),
      options,
    );
    expect(among.a.W.toArray()).toEqual(alone.a.W.toArray());
    expect(among.a.W.toArray()).toEqual([...nn.init.normal(1, 4).draw(rng(9, "a.W"))]);
    expect(among.a.b.toArray()).not.toEqual((alone.a.W.toArray() as number[]).slice(0, 2));
  });

  test("an initializer of one's own is a shape and a draw", () => {
    const ramp: nn.Initializer = { shape: [3], draw: () => Float64Array.of(1, 2, 3) };
    expect(nn.isInitializer(ramp)).toBe(true);
    expect(nn.initialize({ ramp }, rng(1), { backend }).ramp.toArray()).toEqual([1, 2, 3]);
    for (const other of [null, 3, {}, { shape: [1] }, { draw() {} }, []])
      expect(nn.isInitializer(other)).toBe(false);
  });
});

test("errors are sentences", () => {
  expect(() => nn.init.zeros(2.5)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: zeros: shape [2.5] has length 2.5; expected whole numbers of at least 0]`,
  );
  expect(() => nn.init.constant(Number.NaN, 2)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: constant: value must be a finite number, got NaN; the shape follows it]`,
  );
  expect(() => nn.init.uniform(-1, 2)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: uniform: limit must be a finite number of at least 0, got -1; the shape follows it]`,
  );
  expect(() => nn.init.normal(Number.POSITIVE_INFINITY)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: normal: standardDeviation must be a finite number of at least 0, got Infinity; the shape follows it]`,
  );
  expect(() => nn.init.glorot(3)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: glorot: expected a shape of at least two axes [inputs, ..., outputs], got [3]; use uniform(limit, ...shape) or zeros(...shape) for a vector]`,
  );
  expect(() => nn.init.heNormal(0, 3)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: heNormal: shape [0,3] has length 0; expected whole numbers of at least 1]`,
  );
  expect(() => nn.init.orthogonal(0)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: orthogonal: shape [0,0] has length 0; expected whole numbers of at least 1]`,
  );
  expect(() => nn.init.orthogonal(2, 2, Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: orthogonal: gain must be a finite number, got NaN]`,
  );
  expect(() => nn.init.identity(2, Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: identity: gain must be a finite number, got NaN]`,
  );
  expect(() => nn.init.identity(-1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: identity: shape [-1] has length -1; expected whole numbers of at least 1]`,
  );
  expect(() => nn.initialize({}, 7 as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: initialize: expected a random generator, got 7; make one with rng(seed)]`,
  );
  const twice = { a: { b: nn.init.zeros() }, "a.b": nn.init.zeros() };
  expect(() => nn.initialize(twice, rng(1), { backend })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: tree.leavesWithPath: two leaves have the path "a.b"; rename a key that holds a "."]`,
  );
  const short = { W: { shape: [3], draw: () => new Float64Array(2) } };
  expect(() => nn.initialize(short, rng(1), { backend })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: initialize: the initializer at "W" drew 2 elements for shape [3], expected 3]`,
  );
});

test("a shape in an array, and options of initialize, are answered with what to write", () => {
  const { init } = nn;
  const calls: readonly (() => unknown)[] = [
    () => init.glorot([3, 4] as never),
    () => init.orthogonal([3, 3] as never),
    () => init.zeros([2, 3] as never),
    () => init.zeros([2, 3] as never, { dtype: "int32" }),
    () => init.constant(1, [2, 3] as never),
    () => init.uniform(0.1, [2, 3] as never),
    () => init.normal(0.1, [2] as never),
    () => init.glorot(3, 4, { dtype: "float64" } as never),
    () => init.zeros(2, {} as never),
    () => init.zeros(2, "3" as never),
    () => init.he("3" as never, 4),
    () => init.uniform("1" as never, 4),
  ];
  expect(calls.map(said)).toMatchInlineSnapshot(`
    [
      "TypeError: glorot: give lengths one by one: init.glorot(3, 4), not as an array [3,4]",
      "TypeError: orthogonal: give lengths one by one: init.orthogonal(3, 3), not as an array [3,3]",
      "TypeError: zeros: give lengths one by one: init.zeros(2, 3), not as an array [2,3]",
      "TypeError: zeros: give lengths one by one: init.zeros(2, 3), not as an array [2,3]",
      "TypeError: constant: give lengths one by one: init.constant(value, 2, 3), not as an array [2,3]",
      "TypeError: uniform: give lengths one by one: init.uniform(limit, 2, 3), not as an array [2,3]",
      "TypeError: normal: give lengths one by one: init.normal(standardDeviation, 2), not as an array [2]",
      "TypeError: glorot: expected lengths, got an object; { dtype, backend } are options of initialize(params, rng, options)",
      "TypeError: zeros: dtype must be "int32", got undefined; leave out the options for floats, whose dtype is that of initialize(..., { dtype })",
      "RangeError: zeros: shape [2,"3"] has length "3"; expected whole numbers of at least 0",
      "RangeError: he: shape ["3",4] has length "3"; expected whole numbers of at least 1",
      "RangeError: uniform: limit must be a finite number of at least 0, got "1"; the shape follows it",
    ]
  `);
});

test("a draw that the dtype has not is refused", () => {
  const { init } = nn;
  const large = (initializer: nn.Initializer, dtype: "float32" | "float64") => () =>
    nn.initialize({ W: initializer }, rng(1), { dtype, backend }).W.toArray();
  expect(said(large(init.constant(1e300, 2), "float32"))).toMatchInlineSnapshot(
    `"RangeError: initialize: the initializer at "W" drew 1e+300, which is not finite in float32; take a smaller scale"`,
  );
  expect(said(large(init.normal(1e300, 2), "float32"))).toContain("which is not finite in float32");
  expect(said(large(init.normal(1.7e308, 99), "float64"))).toContain("not finite in float64");
  // The largest float32, and half a step beyond it, which rounds to infinity.
  const most = (2 - 2 ** -23) * 2 ** 127;
  expect(large(init.constant(most), "float32")()).toBe(most);
  expect(said(large(init.constant(most + 2 ** 103), "float32"))).toContain("not finite");
  expect(large(init.constant(1e300, 1), "float64")()).toEqual([1e300]);
});

function said(act: () => unknown): string {
  try {
    return String(act());
  } catch (error) {
    return String(error);
  }
}
