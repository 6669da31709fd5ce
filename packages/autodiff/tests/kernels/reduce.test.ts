import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ArgReduceName, ReduceName } from "../../src/kernels/reduce.ts";
import { type Arena, floatArenas, integers, roundoff, spread } from "./arena.ts";

type Dtype = "float32" | "float64";
type Shape = readonly [outer: number, length: number, inner: number];

function reduce(
  arena: Arena,
  dtype: Dtype,
  name: ReduceName | ArgReduceName,
  [outer, length, inner]: Shape,
  values: number[],
): number[] {
  const result = name === "argmax" || name === "argmin" ? "int32" : dtype;
  const x = arena.put(dtype, values);
  const y = arena.put(result, new Array<number>(outer * inner).fill(7));
  arena.kernels[dtype][name](outer, length, inner, x, y);
  expect(arena.get(dtype, x, values.length)).toEqual(values);
  const reduced = arena.get(result, y, outer * inner);
  arena.clear();
  return reduced;
}

/** `f` of each reduced row. */
function naive<T>([outer, length, inner]: Shape, x: number[], f: (row: number[]) => T): T[] {
  const rows: T[] = [];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      rows.push(f(Array.from({ length }, (_, l) => x[(o * length + l) * inner + i]!)));
    }
  }
  return rows;
}

const add = (row: number[]): number => row.reduce((a, b) => a + b, 0);
const magnitude = (row: number[]): number => add(row.map(Math.abs));
const greatest = (row: number[]): number => row.reduce((a, b) => Math.max(a, b), -Infinity);
const least = (row: number[]): number => row.reduce((a, b) => Math.min(a, b), Infinity);
const logSumExp = (row: number[]): number => {
  const m = greatest(row);
  return Number.isFinite(m) ? m + Math.log(add(row.map((x) => Math.exp(x - m)))) : m;
};

/** The first position of the row's extreme, or of its first NaN. */
function position(extreme: (row: number[]) => number): (row: number[]) => number {
  return (row) => {
    const nan = row.findIndex(Number.isNaN);
    return nan >= 0 ? nan : row.indexOf(extreme(row));
  };
}

const length = fc.oneof(fc.integer({ min: 1, max: 17 }), fc.integer({ min: 60, max: 140 }));
const shapes: fc.Arbitrary<Shape> = fc.tuple(
  fc.integer({ min: 0, max: 4 }),
  length,
  fc.integer({ min: 0, max: 17 }),
);
const large: Shape[] = [
  [1, 1031, 1],
  [3, 67, 33],
  [2, 19, 1029],
  [1, 300, 5],
];
/** Values among which extremes are often tied, infinite or NaN. */
const special = fc.constantFrom(-Infinity, -2, -1, 0, 1, 2, Infinity, Number.NaN);
const specialArrays = shapes.chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    fc.array(special, {
      minLength: shape[0] * shape[1] * shape[2],
      maxLength: shape[0] * shape[1] * shape[2],
    }),
  ),
);

describe.each(floatArenas)("reductions of %s in %s", (_, dtype, arena) => {
  test("sum is exact on integers", () => {
    const check = (shape: Shape) => {
      const values = integers(shape[0] * shape[1] * shape[2]).map((value) => value + 0);
      expect(reduce(arena, dtype, "sum", shape, values)).toEqual(naive(shape, values, add));
    };
    fc.assert(fc.property(shapes, check));
    for (const shape of large) check(shape);
  });

  test("sum of nothing is zero", () => {
    expect(reduce(arena, dtype, "sum", [2, 0, 3], [])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(reduce(arena, dtype, "sum", [3, 0, 1], [])).toEqual([0, 0, 0]);
  });

  test("sum errs by four roundings in a block and one to store, whatever the length", () => {
    // Blocks are at most 16 vectors deep, added pairwise: log2(16) roundings. Float64 additions of
    // the blocks and of the oracle add length * 2^-53 each.
    for (const shape of [[1, 100_001, 1] as const, [1, 20_003, 7] as const, ...large]) {
      const values = spread(shape[0] * shape[1] * shape[2]).map((x) => Math.fround(x + 0.75));
      const sums = naive(shape, values, add);
      const bounds = naive(shape, values, magnitude);
      const slack = 5 * roundoff[dtype] + 2 * shape[1] * roundoff.float64;
      reduce(arena, dtype, "sum", shape, values).forEach((sum, index) => {
        expect(Math.abs(sum - sums[index]!)).toBeLessThanOrEqual(slack * bounds[index]!);
      });
    }
  });

  test("max and min are those of Math, NaN included", () => {
    const check = ([shape, values]: readonly [Shape, number[]]) => {
      // Adding 0 turns -0 into 0.
      const clean = values.map((value) => value + 0);
      expect(reduce(arena, dtype, "max", shape, clean)).toEqual(naive(shape, clean, greatest));
      expect(reduce(arena, dtype, "min", shape, clean)).toEqual(naive(shape, clean, least));
    };
    fc.assert(fc.property(specialArrays, check));
    for (const shape of large) check([shape, spread(shape[0] * shape[1] * shape[2])]);
  });

  test("max, min, argmax and argmin find an extreme at every place", () => {
    for (const n of [1, 2, 3, 5, 8, 17, 70]) {
      for (let place = 0; place < n; place++) {
        const row = new Array<number>(n).fill(0);
        row[place] = 1;
        expect(reduce(arena, dtype, "max", [1, n, 1], row)).toEqual([1]);
        expect(reduce(arena, dtype, "argmax", [1, n, 1], row)).toEqual([place]);
        row[place] = -1;
        expect(reduce(arena, dtype, "min", [1, n, 1], row)).toEqual([-1]);
        expect(reduce(arena, dtype, "argmin", [1, n, 1], row)).toEqual([place]);
      }
    }
  });

  test("argmax and argmin give the first extreme, or the first NaN", () => {
    const check = ([shape, values]: readonly [Shape, number[]]) => {
      for (const [name, extreme] of [
        ["argmax", greatest],
        ["argmin", least],
      ] as const) {
        const expected = naive(shape, values, position(extreme));
        expect(reduce(arena, dtype, name, shape, values)).toEqual(expected);
      }
    };
    fc.assert(fc.property(specialArrays, check));
    for (const shape of large) {
      const count = shape[0] * shape[1] * shape[2];
      check([shape, spread(count)]);
      check([shape, integers(count)]);
    }
  });

  test("logSumExp errs by a rounding of the result and a few of the terms", () => {
    // An error of x - m, at most |x - m| roundings, is one of its term relative to that term; the
    // exponential and the logarithm add at most 4 roundings each.
    const check = (shape: Shape) => {
      for (const scale of [1, 30]) {
        const count = shape[0] * shape[1] * shape[2];
        const values = spread(count).map((x) => Math.fround(scale * x));
        const expected = naive(shape, values, logSumExp);
        const slack = (8 + 2 * scale) * (roundoff[dtype] + roundoff.float64);
        reduce(arena, dtype, "logSumExp", shape, values).forEach((value, index) => {
          const bound = slack + roundoff[dtype] * Math.abs(expected[index]!);
          expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(bound);
        });
      }
    };
    fc.assert(fc.property(shapes, check));
    for (const shape of large) check(shape);
  });

  test.each(["sum", "logSumExp"] as const)("%s does not depend on alignment", (name) => {
    for (const shape of [[2, 133, 1] as const, [2, 21, 11] as const]) {
      const values = spread(shape[0] * shape[1] * shape[2]);
      const first = reduce(arena, dtype, name, shape, values);
      for (let round = 1; round < 16; round++) {
        expect(reduce(arena, dtype, name, shape, values)).toEqual(first);
      }
    }
  });

  test("logSumExp of n equal logits of 1e4 is 1e4 + log n", () => {
    for (const inner of [1, 5]) {
      const values = new Array<number>(64 * inner).fill(1e4);
      const close = (1e4 + Math.log(64)) * (1 + roundoff[dtype]) - (1e4 + Math.log(64));
      for (const value of reduce(arena, dtype, "logSumExp", [1, 64, inner], values)) {
        expect(Math.abs(value - (1e4 + Math.log(64)))).toBeLessThanOrEqual(2 * close);
      }
    }
  });

  test.each([
    [[-Infinity, -Infinity, -Infinity, -Infinity, -Infinity], -Infinity],
    [[-Infinity, 0, -Infinity, -Infinity, -Infinity], 0],
    [[-Infinity, 1, Infinity, 2, 3], Infinity],
    [[0, Number.NaN, Infinity, 2, 3], Number.NaN],
  ])("logSumExp of %j is %d", (row, expected) => {
    expect(reduce(arena, dtype, "logSumExp", [1, row.length, 1], row)).toEqual([expected]);
    const columns = row.flatMap((value) => [value, value, 0, value, value, value]);
    const [first, second, zeros, ...others] = reduce(
      arena,
      dtype,
      "logSumExp",
      [1, row.length, 6],
      columns,
    );
    expect([first, second, ...others]).toEqual(new Array(5).fill(expected));
    expect(Math.abs(zeros! - Math.log(row.length))).toBeLessThan(8 * roundoff[dtype]);
  });
});
