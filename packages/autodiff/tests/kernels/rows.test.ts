import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Arena, floatArenas, integers, roundoff, spread } from "./arena.ts";

type Dtype = "float32" | "float64";
type Rows = readonly number[][];

function rowwise(arena: Arena, dtype: Dtype, name: "softmax" | "logSoftmax", rows: Rows): Rows {
  const cols = rows[0]?.length ?? 0;
  const x = arena.put(dtype, rows.flat());
  const y = arena.put(dtype, new Array<number>(rows.length * cols).fill(7));
  arena.kernels[dtype][name](rows.length, cols, x, y);
  const result = arena.get(dtype, y, rows.length * cols);
  arena.clear();
  return rows.map((_, r) => result.slice(r * cols, (r + 1) * cols));
}

function crossEntropy(arena: Arena, dtype: Dtype, rows: Rows, targets: number[]): number[] {
  const logits = arena.put(dtype, rows.flat());
  const indices = arena.put("int32", targets);
  const losses = arena.put(dtype, new Array<number>(rows.length).fill(7));
  const cols = rows[0]?.length ?? 0;
  arena.kernels[dtype].crossEntropy(rows.length, cols, logits, indices, -100, losses);
  const result = arena.get(dtype, losses, rows.length);
  arena.clear();
  return result;
}

function crossEntropyVjp(
  arena: Arena,
  dtype: Dtype,
  rows: Rows,
  targets: number[],
  g: number[],
): Rows {
  const cols = rows[0]?.length ?? 0;
  const logits = arena.put(dtype, rows.flat());
  const indices = arena.put("int32", targets);
  const cotangent = arena.put(dtype, g);
  const dx = arena.put(dtype, new Array<number>(rows.length * cols).fill(7));
  const { crossEntropyVjp: kernel } = arena.kernels[dtype];
  kernel(rows.length, cols, logits, indices, -100, cotangent, dx);
  const result = arena.get(dtype, dx, rows.length * cols);
  arena.clear();
  return rows.map((_, r) => result.slice(r * cols, (r + 1) * cols));
}

/** The definitions, in float64. */
function naive(row: number[]): { probabilities: number[]; logs: number[] } {
  const m = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const terms = row.map((x) => Math.exp(x - m));
  const total = terms.reduce((a, b) => a + b, 0);
  return {
    probabilities: terms.map((term) => term / total),
    logs: row.map((x) => x - m - Math.log(total)),
  };
}

function closeTo(actual: readonly number[], expected: readonly number[], bounds: number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, index) => {
    expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(bounds[index]!);
  });
}

const scale = 10;
/** Rows of logits from -10 to 10. */
function logits(rows: number, cols: number): Rows {
  return Array.from({ length: rows }, (_, r) => spread(cols, r).map((x) => Math.fround(scale * x)));
}

const sizes = fc.oneof(fc.integer({ min: 1, max: 17 }), fc.integer({ min: 18, max: 140 }));
const rowCounts = fc.integer({ min: 0, max: 5 });

describe.each(floatArenas)("row-wise kernels of %s in %s", (_, dtype, arena) => {
  // Relative error of a term e^(x - m): |x - m| <= 20 roundings from the difference, 4 from the
  // exponential; as much in the total; one for each operation after; the float64 oracle likewise.
  const relative = (2 * (2 * scale + 4) + 4) * (roundoff[dtype] + roundoff.float64);

  test("softmax is e^x over the sum of e^x", () => {
    fc.assert(
      fc.property(rowCounts, sizes, (rows, cols) => {
        const x = logits(rows, cols);
        rowwise(arena, dtype, "softmax", x).forEach((y, r) => {
          const { probabilities } = naive(x[r]!);
          closeTo(
            y,
            probabilities,
            probabilities.map((p) => relative * p),
          );
        });
      }),
    );
  });

  test("logSoftmax is the logarithm of softmax", () => {
    fc.assert(
      fc.property(rowCounts, sizes, (rows, cols) => {
        const x = logits(rows, cols);
        rowwise(arena, dtype, "logSoftmax", x).forEach((y, r) => {
          const { logs } = naive(x[r]!);
          closeTo(
            y,
            logs,
            logs.map((log) => relative + 2 * roundoff[dtype] * Math.abs(log)),
          );
        });
      }),
    );
  });

  test.each(["softmax", "logSoftmax"] as const)("%s does not depend on alignment", (name) => {
    const x = logits(3, 37);
    const first = rowwise(arena, dtype, name, x);
    for (let round = 1; round < 16; round++) expect(rowwise(arena, dtype, name, x)).toEqual(first);
  });

  test("softmax of rows without columns writes nothing", () => {
    rowwise(arena, dtype, "softmax", [[], []]);
    rowwise(arena, dtype, "logSoftmax", [[], []]);
  });

  test("softmax and logSoftmax are stable at logits of 1e4 and -1e4", () => {
    const p = 1 / (1 + Math.exp(-1));
    for (const shift of [1e4, -1e4]) {
      const [row] = rowwise(arena, dtype, "softmax", [[shift, shift - 1]]);
      closeTo(row!, [p, 1 - p], [relative, relative]);
      const [logs] = rowwise(arena, dtype, "logSoftmax", [[shift, shift - 1]]);
      closeTo(logs!, [Math.log(p), Math.log(p) - 1], [relative, relative]);
    }
  });

  test("softmax gives an entry of -Infinity no weight, and NaN where the maximum is not finite", () => {
    const rows = [
      [1, -Infinity, 1, -Infinity, 1],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [0, Number.NaN, 0, 0, 0],
    ];
    const third = dtype === "float32" ? Math.fround(1 / 3) : 1 / 3;
    const nan = new Array<number>(5).fill(Number.NaN);
    expect(rowwise(arena, dtype, "softmax", rows)).toEqual([[third, 0, third, 0, third], nan, nan]);
    const [first] = rowwise(arena, dtype, "logSoftmax", rows);
    expect([first![1], first![3]]).toEqual([-Infinity, -Infinity]);
  });

  test("crossEntropy is minus logSoftmax at the target, 0 where ignored", () => {
    fc.assert(
      fc.property(rowCounts, sizes, (rows, cols) => {
        const x = logits(rows, cols);
        const targets = x.map((_, r) => (r === 1 ? -100 : (r * 7) % cols));
        const expected = x.map((row, r) => (r === 1 ? 0 : -naive(row).logs[targets[r]!]!));
        const bounds = expected.map((loss) => relative + 2 * roundoff[dtype] * loss);
        closeTo(crossEntropy(arena, dtype, x, targets), expected, bounds);
      }),
    );
  });

  test("crossEntropy is stable at logits of 1e4 and ignores rows whatever is in them", () => {
    const rows = [
      [1e4, 1e4 - 1, 1e4 - 1],
      [Number.NaN, Infinity, -Infinity],
      [-1e4, 1e4, 0],
      [0, -Infinity, 0],
    ];
    const losses = crossEntropy(arena, dtype, rows, [1, -100, 0, 1]);
    const log = Math.log(1 + 2 * Math.exp(-1)) + 1;
    closeTo(losses.slice(0, 3), [log, 0, 2e4], [relative, 0, 0]);
    expect(losses[3]).toBe(Infinity);
  });

  test("crossEntropy is logSumExp minus the target, also where these are infinite", () => {
    const infinite = [0, Infinity, 0];
    const nothing = [-Infinity, -Infinity, -Infinity];
    const losses = crossEntropy(arena, dtype, [infinite, infinite, nothing], [0, 1, 2]);
    expect(losses).toEqual([Infinity, Number.NaN, Number.NaN]);
  });

  test("crossEntropyVjp is g (softmax - onehot), 0 where ignored", () => {
    fc.assert(
      fc.property(rowCounts, sizes, (rows, cols) => {
        const x = logits(rows, cols);
        const targets = x.map((_, r) => (r === 1 ? -100 : (r * 7) % cols));
        const g = spread(rows, 9);
        crossEntropyVjp(arena, dtype, x, targets, g).forEach((dx, r) => {
          const { probabilities } = naive(x[r]!);
          const expected = probabilities.map((p, j) =>
            r === 1 ? 0 : g[r]! * (p - (j === targets[r] ? 1 : 0)),
          );
          const bounds = probabilities.map(
            (p) => relative * Math.abs(g[r]!) * (p + roundoff[dtype]),
          );
          closeTo(
            dx,
            expected,
            bounds.map((bound, j) => (j === targets[r] ? relative : bound)),
          );
        });
      }),
    );
  });

  test("crossEntropyVjp keeps the digits of p - 1 where p is near 1", () => {
    const [dx] = crossEntropyVjp(arena, dtype, [[0, -12, -12]], [0], [1]);
    const other = Math.exp(-12) / (1 + 2 * Math.exp(-12));
    closeTo(dx!, [-2 * other, other, other], [2 * other * 1e-6, other * 1e-6, other * 1e-6]);
  });

  test("crossEntropyVjp writes zeros for an ignored row of NaN", () => {
    const row = [Number.NaN, 1, Infinity, 2, 3];
    const dx = crossEntropyVjp(arena, dtype, [row, row], [-100, -100], [1, Number.NaN]);
    expect(dx).toEqual([new Array(5).fill(0), new Array(5).fill(0)]);
  });

  describe("cumsum", () => {
    const shapes = fc.tuple(
      rowCounts,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 17 }),
    );
    const run = (
      [outer, length, inner]: readonly [number, number, number],
      reverse: number,
      values: number[],
    ): number[] => {
      const x = arena.put(dtype, values);
      const y = arena.put(dtype, new Array<number>(values.length).fill(7));
      arena.kernels[dtype].cumsum(outer, length, inner, reverse, x, y);
      const result = arena.get(dtype, y, values.length);
      arena.clear();
      return result;
    };

    test("is exact on integers, from either end", () => {
      fc.assert(
        fc.property(shapes, fc.integer({ min: 0, max: 1 }), (shape, reverse) => {
          const [outer, length, inner] = shape;
          const values = integers(outer * length * inner).map((value) => value + 0);
          const expected = values.map((_, index) => {
            const i = index % inner;
            const l = Math.floor(index / inner) % length;
            const start = Math.floor(index / (inner * length)) * length;
            let total = 0;
            for (let p = reverse ? l : 0; p <= (reverse ? length - 1 : l); p++) {
              total += values[(start + p) * inner + i]!;
            }
            return total;
          });
          expect(run(shape, reverse, values)).toEqual(expected);
        }),
      );
    });

    test("rounds each total once", () => {
      const values = spread(5000).map((x) => Math.fround(x + 2));
      let total = 0;
      const expected = values.map((value) => {
        total += value;
        return total;
      });
      const slack = roundoff[dtype] + 2 * values.length * roundoff.float64;
      const bounds = expected.map((sum) => slack * sum);
      closeTo(run([1, values.length, 1], 0, values), expected, bounds);
    });
  });
});
