import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { floatArenas, roundoff, spread } from "./arena.ts";

const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);
const meanOf = (x: readonly number[]) => sum(x) / x.length;

/** `n = (x - mean) s` and `s` of one row. */
function normal(x: readonly number[], epsilon: number): { n: number[]; s: number } {
  const mean = meanOf(x);
  const d = x.map((value) => value - mean);
  const s = 1 / Math.sqrt(meanOf(d.map((value) => value * value)) + epsilon);
  return { n: d.map((value) => value * s), s };
}

describe.each(floatArenas)("layer normalisation of %s in %s", (_, dtype, arena) => {
  const rowsOf = (values: readonly number[], rows: number, cols: number) =>
    Array.from({ length: rows }, (_row, r) => values.slice(r * cols, (r + 1) * cols));
  const epsilon = 0.125;

  /** Runs the three kernels and compares them with the formulas. */
  function holds(rows: number, cols: number, accumulate: number, shift = 0): void {
    const { layerNorm, layerNormVjp, layerNormVjpGain } = arena.kernels[dtype];
    const x = spread(rows * cols, 1).map((value) => Math.fround(value + shift));
    const [gain, bias] = [spread(cols, 2), spread(cols, 3)];
    const [g, before, row] = [spread(rows * cols, 4), spread(rows * cols, 5), spread(cols, 6)];
    const [px, pgain, pbias] = [
      arena.put(dtype, x),
      arena.put(dtype, gain),
      arena.put(dtype, bias),
    ];
    const [pg, y] = [arena.put(dtype, g), arena.put(dtype, before)];
    const [dx, dgain] = [arena.put(dtype, before), arena.put(dtype, row)];
    layerNorm(rows, cols, px, pgain, pbias, epsilon, y);
    layerNormVjp(rows, cols, px, pgain, pg, epsilon, accumulate, dx);
    layerNormVjpGain(rows, cols, px, pg, epsilon, accumulate, dgain);
    const found = [y, dx].map((pointer) => arena.get(dtype, pointer, rows * cols));
    const foundGain = arena.get(dtype, dgain, cols);
    arena.clear();

    const gs = rowsOf(g, rows, cols);
    const normals = rowsOf(x, rows, cols).map((r) => normal(r, epsilon));
    const values = normals.flatMap(({ n }) => n.map((v, i) => v * gain[i]! + bias[i]!));
    const slopes = normals.flatMap(({ n, s }, at) => {
      const k = gs[at]!.map((value, i) => value * gain[i]!);
      const [mean, along] = [meanOf(k), meanOf(k.map((v, i) => v * n[i]!))];
      // The Jacobian of n: s (identity - 1/cols - n n'/cols).
      return k.map((value, i) => s * (value - mean - n[i]! * along));
    });
    const byGain = gain.map((_gain, i) => sum(normals.map(({ n }, at) => gs[at]![i]! * n[i]!)));
    const base = (list: readonly number[]) => (accumulate === 1 ? list : list.map(() => 0));
    const bound = 200 * roundoff[dtype];
    const compare = (actual: readonly number[], expected: readonly number[], slack: number) => {
      const errors = actual.map((value, i) => Math.abs(value - expected[i]!));
      expect(errors.filter((error) => !(error <= slack))).toEqual([]);
    };
    compare(found[0]!, values, bound);
    compare(
      found[1]!,
      slopes.map((value, i) => base(before)[i]! + value),
      bound,
    );
    compare(
      foundGain,
      byGain.map((value, i) => base(row)[i]! + value),
      bound * Math.max(1, rows),
    );
  }

  test("values and derivatives are the formula's, whatever the size", () => {
    const cols = fc.oneof(fc.integer({ min: 0, max: 21 }), fc.constantFrom(511, 512, 513, 1030));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), cols, fc.constantFrom(0, 1), (...sizes) =>
        holds(...sizes),
      ),
      {
        numRuns: 60,
      },
    );
  });

  test("a row far from 0 loses nothing but what it lost when it was rounded", () => {
    holds(3, 37, 0, 1000);
  });
});
