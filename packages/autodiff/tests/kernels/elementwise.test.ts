import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BinaryName,
  binaryNames,
  scaledNames,
  type UnaryName,
  unaryNames,
} from "../../src/kernels/elementwise.ts";
import { binary, expectWithin, scaled, unary } from "./apply.ts";
import { arenas, floatArenas } from "./arena.ts";

const reference = arenas.find(([name]) => name === "reference")![1];

/**
 * What float32 results may miss the truth by: half a unit, and a little more where that is rounded
 * itself.
 */
const rounding = 0.5001;
/** Functions with a float32 algorithm of their own: two units. */
const direct: ReadonlySet<string> = new Set<UnaryName>([
  "exp",
  "log",
  "rsqrt",
  "tanh",
  "sigmoid",
  "softplus",
  "logSigmoid",
  "silu",
]);

/**
 * `count` float32 values whose bits are spread evenly over all patterns, NaN and infinities
 * included.
 */
function bitPatterns(count: number, offset = 0): Float32Array {
  const step = Math.floor(2 ** 32 / count) | 1;
  return new Float32Array(Uint32Array.from({ length: count }, (_, i) => i * step + offset).buffer);
}

/** Where algorithms change over and results overflow, vanish or turn subnormal. */
// biome-ignore format: a list of numbers
const delicate = [
  0, 2 ** -126, 2 ** -24, 2 ** -12, 0.34657359, 0.41421356, 0.5, 0.7111111, Math.SQRT1_2, 1,
  Math.SQRT2, Math.PI / 2, 2.1333333, 2.41421356, Math.PI, 5, 6, 9.0109, 10, 13.1, 14.4, 16, 16.63,
  16.6425343, 17.3, 87.3365, 88.7228, 89.4159, 92.2, 103.2789, 103.9721, 104, 109, 2 ** 20, 2 ** 24,
  2 ** 28, 3.4028e38,
];

/** The 1,024 float32 values around each of `delicate`, with both signs. */
function patches(): Float32Array {
  const bits = [...new Uint32Array(Float32Array.from(delicate).buffer)].flatMap((center) =>
    Array.from({ length: 1024 }, (_, i) => Math.max(center + i - 512, 0)),
  );
  return new Float32Array(Uint32Array.from([...bits, ...bits.map((b) => b + 2 ** 31)]).buffer);
}

describe("float32 over all magnitudes against float64", () => {
  const x = new Float32Array([...bitPatterns(2 ** 20), ...patches()]);
  test.each(unaryNames)("%s", (name) => {
    const truth = unary(reference, "float64", name, x);
    for (const [set, arena] of arenas) {
      const bound = set !== "reference" && direct.has(name) ? 2 : rounding;
      expectWithin(bound, "float32", unary(arena, "float32", name, x), truth, x);
    }
  });

  const ascending = x.filter((value) => !Number.isNaN(value)).sort();
  test.each(["tanh", "sigmoid"] as const)("%s never falls", (name) => {
    for (const [, arena] of arenas) {
      const y = unary(arena, "float32", name, ascending);
      const falls = y.findIndex((value, i) => value < y[i - 1]!);
      expect(falls, `${name} at ${ascending[falls]}`).toBe(-1);
    }
  });

  const multipliers = [0.01, 1, -0.3].map(Math.fround);
  test.each(scaledNames)("%s", (name) => {
    for (const alpha of multipliers) {
      const truth = scaled(reference, "float64", name, x, alpha);
      for (const [, arena] of arenas) {
        expectWithin(rounding, "float32", scaled(arena, "float32", name, x, alpha), truth, x);
      }
    }
  });

  const a = bitPatterns(2 ** 18, 12345);
  const b = a.map((_, i) => a[(i * 104729) % a.length]!);
  test.each(binaryNames)("%s", (name) => {
    const truth = binary(reference, "float64", name, a, b);
    for (const [, arena] of arenas) {
      expectWithin(rounding, "float32", binary(arena, "float32", name, a, b), truth, a, b);
    }
  });

  test("pow where it neither overflows nor vanishes", () => {
    const base = bitPatterns(2 ** 18).map(Math.abs);
    const power = base.map((v, i) => ((i % 2003) / 1001 - 1) * (87 / Math.abs(Math.log(v))));
    const truth = binary(reference, "float64", "pow", base, power);
    for (const [, arena] of arenas) {
      const got = binary(arena, "float32", "pow", base, power);
      expectWithin(rounding, "float32", got, truth, base, power);
    }
  });
});

describe("float64 against mpmath", () => {
  /** Arguments and correctly rounded values, made by make-truth.py: `[x, y]` or `[a, b, y]`. */
  const fixture = JSON.parse(
    readFileSync(new URL("fixtures/elementwise.json", import.meta.url), "utf8"),
  ) as Record<string, string[][]>;

  test.each(Object.entries(fixture))("%s", (name, rows) => {
    const column = (c: number): number[] => rows.map((row) => Number(row.at(c)));
    const truth = column(-1);
    const isBinary = rows[0]!.length === 3;
    for (const [set, arena] of arenas) {
      const got = isBinary
        ? binary(arena, "float64", name as BinaryName, column(0), column(1))
        : unary(arena, "float64", name as UnaryName, column(0));
      // Relative errors of 9e-16, and of 4e-15 for the series and fractions of the reference.
      const bound = set === "reference" ? 16 : 4;
      expectWithin(bound, "float64", got, truth, column(0), isBinary ? column(1) : []);
    }
  });
});

const pi = Math.PI;
// biome-ignore format: two pairs
const odd = [[0, 0], [-0, -0]];
/** Limits and exact values that the definition could miss: `[x, f(x)]`. */
// biome-ignore format: one function a line
const edges: Partial<Record<UnaryName, number[][]>> = {
  neg: [[0, -0], [-0, 0], [Infinity, -Infinity]],
  abs: [[-0, 0], [-Infinity, Infinity]],
  sign: [...odd, [Infinity, 1], [-Infinity, -1], [1e-30, 1], [-1e-30, -1]],
  exp: [[0, 1], [-0, 1], [Infinity, Infinity], [-Infinity, 0], [1e30, Infinity], [-1e30, 0]],
  expm1: [...odd, [Infinity, Infinity], [-Infinity, -1], [-1e30, -1]],
  log: [[0, -Infinity], [-0, -Infinity], [1, 0], [Infinity, Infinity], [-1, NaN], [-Infinity, NaN]],
  log2: [[0, -Infinity], [-0, -Infinity], [1, 0], [8, 3], [2 ** -140, -140], [Infinity, Infinity], [-1, NaN]],
  log10: [[0, -Infinity], [-0, -Infinity], [1, 0], [1000, 3], [1e10, 10], [Infinity, Infinity], [-1, NaN]],
  log1p: [...odd, [-1, -Infinity], [-2, NaN], [Infinity, Infinity], [-Infinity, NaN]],
  sqrt: [...odd, [4, 2], [Infinity, Infinity], [-1, NaN]],
  rsqrt: [[0, Infinity], [-0, -Infinity], [4, 0.5], [Infinity, 0], [-1, NaN]],
  square: [[-0, 0], [-3, 9], [-Infinity, Infinity]],
  reciprocal: [[0, Infinity], [-0, -Infinity], [4, 0.25], [Infinity, 0], [-Infinity, -0]],
  sin: [...odd, [Infinity, NaN], [-Infinity, NaN]],
  cos: [[0, 1], [-0, 1], [Infinity, NaN], [-Infinity, NaN]],
  tan: [...odd, [Infinity, NaN], [-Infinity, NaN]],
  asin: [...odd, [1, pi / 2], [-1, -pi / 2], [1.5, NaN], [-Infinity, NaN]],
  acos: [[1, 0], [0, pi / 2], [-1, pi], [1.5, NaN], [Infinity, NaN]],
  atan: [...odd, [1, pi / 4], [Infinity, pi / 2], [-Infinity, -pi / 2]],
  sinh: [...odd, [Infinity, Infinity], [-Infinity, -Infinity], [-1e30, -Infinity]],
  cosh: [[0, 1], [-0, 1], [Infinity, Infinity], [-Infinity, Infinity]],
  asinh: [...odd, [Infinity, Infinity], [-Infinity, -Infinity]],
  acosh: [[1, 0], [0.5, NaN], [-3, NaN], [Infinity, Infinity], [-Infinity, NaN]],
  atanh: [...odd, [1, Infinity], [-1, -Infinity], [2, NaN], [-Infinity, NaN]],
  tanh: [...odd, [Infinity, 1], [-Infinity, -1], [1e30, 1], [-1e30, -1]],
  sigmoid: [[0, 0.5], [-0, 0.5], [Infinity, 1], [-Infinity, 0], [1e30, 1], [-1e30, 0]],
  softplus: [[0, Math.LN2], [Infinity, Infinity], [-Infinity, 0], [1e30, 1e30], [-1e30, 0]],
  logSigmoid: [[0, -Math.LN2], [Infinity, -0], [-Infinity, -Infinity], [-1e30, -1e30]],
  relu: [[0, 0], [-0, 0], [3, 3], [Infinity, Infinity], [-Infinity, 0]],
  gelu: [...odd, [Infinity, Infinity], [-Infinity, -0], [1e30, 1e30], [-1e30, -0]],
  silu: [...odd, [Infinity, Infinity], [-Infinity, -0], [1e30, 1e30], [-1e30, -0]],
  erf: [...odd, [Infinity, 1], [-Infinity, -1], [1e30, 1]],
  floor: [...odd, [0.5, 0], [-0.5, -1], [Infinity, Infinity], [-1e30, -1e30]],
  ceil: [...odd, [0.5, 1], [-0.5, -0], [-Infinity, -Infinity], [1e30, 1e30]],
  round: [...odd, [0.5, 0], [-0.5, -0], [1.5, 2], [2.5, 2], [-1.5, -2], [-2.5, -2], [1e30, 1e30]],
};

describe.each(floatArenas)("%s %s at the edges", (_, dtype, arena) => {
  const exact = (value: number): number => (dtype === "float32" ? Math.fround(value) : value);

  test.each(unaryNames)("%s", (name) => {
    const pairs = [...(edges[name] ?? []), [NaN, NaN]].map((pair) => pair.map(exact));
    const x = pairs.map((pair) => pair[0]!);
    const truth = pairs.map((pair) => pair[1]!);
    expectWithin(1, dtype, unary(arena, dtype, name, x), truth, x);
  });

  const sizes = [0, 1e-40, 0.5, 1, 1.5, 2, 3, 16777215, 16777216, 1e30, Infinity].map(exact);
  const values = [...sizes, ...sizes.map((size) => -size), NaN];

  test.each(unaryNames)("%s, as defined", (name) => {
    const truth = unary(reference, "float64", name, values);
    expectWithin(4, dtype, unary(arena, dtype, name, values), truth, values);
  });

  test.each(binaryNames)("%s", (name) => {
    const a = values.flatMap((value) => values.map(() => value));
    const b = values.flatMap(() => values);
    const truth = binary(reference, "float64", name, a, b);
    expectWithin(2, dtype, binary(arena, dtype, name, a, b), truth, a, b);
  });

  test("pow, as IEEE 754 has it", () => {
    // biome-ignore format: one case a line
    const cases = [
      [1, NaN, 1], [NaN, 0, 1], [NaN, -0, 1], [1, Infinity, 1], [1, -Infinity, 1],
      [-1, Infinity, 1], [-1, -Infinity, 1], [Infinity, 0, 1], [-Infinity, 0, 1], [0, 0, 1],
      [NaN, 1, NaN], [2, NaN, NaN], [-1, NaN, NaN], [-1, 0.5, NaN], [-Infinity, 0.5, Infinity],
      [-Infinity, 3, -Infinity], [-Infinity, -3, -0], [0, -3, Infinity], [-0, -3, -Infinity],
      [-0, -2, Infinity], [-0, 3, -0], [0.5, Infinity, 0], [-0.5, -Infinity, Infinity],
      [-2, Infinity, Infinity], [-2, -Infinity, 0], [Infinity, -1, 0],
    ];
    const [a, b, truth] = [0, 1, 2].map((k) => cases.map((row) => row[k]!));
    expect(binary(arena, dtype, "pow", a!, b!)).toEqual(Float64Array.from(truth!));
  });

  test("a number given to a kernel is rounded to the dtype first", () => {
    expect(scaled(arena, dtype, "offset", [exact(0.1)], -0.1)).toEqual(Float64Array.of(0));
    expect(scaled(arena, dtype, "scale", [2 ** 20], 0.1)).toEqual(
      Float64Array.of(2 ** 20 * exact(0.1)),
    );
  });
});

describe.each(floatArenas)("%s %s laws", (_, dtype, arena) => {
  const value =
    dtype === "float32" ? fc.float({ noDefaultInfinity: true }) : fc.double({ noNaN: true });
  const values = fc.array(value, { minLength: 1, maxLength: 40 });
  const negated = (x: ArrayLike<number>): Float64Array => Float64Array.from(x, (v) => -v);

  test.each([
    "sign",
    "sin",
    "tan",
    "asin",
    "atan",
    "sinh",
    "asinh",
    "atanh",
    "tanh",
    "erf",
  ] as const)("%s is odd", (name) => {
    fc.assert(
      fc.property(values, (x) => {
        const y = unary(arena, dtype, name, x);
        expect(unary(arena, dtype, name, negated(x))).toEqual(negated(y));
      }),
    );
  });

  test.each(["abs", "square", "cos", "cosh"] as const)("%s is even", (name) => {
    fc.assert(
      fc.property(values, (x) => {
        expect(unary(arena, dtype, name, negated(x))).toEqual(unary(arena, dtype, name, x));
      }),
    );
  });

  test.each(["add", "mul", "maximum", "minimum", "hypot", "equal"] as const)(
    "%s commutes",
    (name) => {
      fc.assert(
        fc.property(values, (a) => {
          const b = a.toReversed();
          expect(binary(arena, dtype, name, b, a)).toEqual(binary(arena, dtype, name, a, b));
        }),
      );
    },
  );

  test("x^1 = x and atan2(x, 1) = atan(x)", () => {
    fc.assert(
      fc.property(values, (x) => {
        const one = x.map(() => 1);
        expectWithin(1, dtype, binary(arena, dtype, "pow", x, one), x, x);
        const angle = unary(arena, dtype, "atan", x);
        expectWithin(2, dtype, binary(arena, dtype, "atan2", x, one), angle, x);
      }),
    );
  });
});
