import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binaryNames, scaledNames, unaryNames } from "../../src/kernels/elementwise.ts";
import { binary, scaled, unary } from "./apply.ts";
import { type Arena, floatArenas } from "./arena.ts";
import type { FloatDtype } from "./ulp.ts";

/** Values that send neighbouring lanes down different paths of an algorithm. */
// biome-ignore format: a list of numbers
const mixed = [
  0.3, -1e30, NaN, 0.9, -0, 1e-42, Infinity, -2.5, 1e6, 0.5, -87.7, 3e-310, 40, -Infinity, 1.5, 2,
  -0.1, 709.5,
];

const at = (i: number): number => mixed[i % mixed.length]!;

describe.each(floatArenas)(
  "%s %s: an element's value does not depend on its place",
  (_, dtype, arena) => {
    const lengths = Array.from({ length: 19 }, (_, n) => n);
    const values = (n: number): number[] => Array.from({ length: n }, (_, i) => at(i + 3 * n));

    test.each(unaryNames)("%s", (name) => {
      const alone = new Map(mixed.map((v) => [v, unary(arena, dtype, name, [v])[0]!]));
      for (const n of lengths) {
        const x = values(n);
        expect(unary(arena, dtype, name, x)).toEqual(Float64Array.from(x, (v) => alone.get(v)!));
      }
    });

    test.each(scaledNames)("%s", (name) => {
      for (const n of lengths) {
        const x = values(n);
        const alone = Float64Array.from(x, (v) => scaled(arena, dtype, name, [v], 0.1)[0]!);
        expect(scaled(arena, dtype, name, x, 0.1)).toEqual(alone);
      }
    });

    test.each(binaryNames)("%s", (name) => {
      for (const n of lengths) {
        const a = values(n);
        const b = a.map((_, i) => at(i * 7 + n));
        const alone = a.map((v, i) => binary(arena, dtype, name, [v], [b[i]!])[0]!);
        expect(binary(arena, dtype, name, a, b)).toEqual(new Float64Array(alone));
      }
    });
  },
);

/** An operand that is read at `values[start + r*row + c*col]`. */
interface Operand {
  readonly values: number[];
  readonly start: number;
  readonly row: number;
  readonly col: number;
}

/** Just the elements that the strides reach, the first one where negative strides need it. */
function operand(rows: number, cols: number, row: number, col: number, seed: number): Operand {
  const reach = [row * Math.max(rows - 1, 0), col * Math.max(cols - 1, 0)];
  const start = reach.reduce((sum, r) => sum + Math.max(-r, 0), 0);
  const length = start + reach.reduce((sum, r) => sum + Math.max(r, 0), 1);
  const values = Array.from({ length }, (_, i) => ((i * 7 + seed) % 9) - 3);
  return { values, start, row, col };
}

const read = ({ values, start, row, col }: Operand, r: number, c: number): number =>
  values[start + r * row + c * col]!;

function put(arena: Arena, dtype: FloatDtype, { values, start }: Operand): number {
  return arena.put(dtype, values) + start * (dtype === "float32" ? 4 : 8);
}

function naive(rows: number, cols: number, f: (r: number, c: number) => number): number[] {
  return Array.from({ length: rows * cols }, (_, i) => f(Math.floor(i / cols), i % cols));
}

const size = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 60, max: 70 }));

/** Strides as views and broadcasts make them, by rows, columns and a third number. */
const strides = fc.constantFrom<(rows: number, cols: number, k: number) => [number, number]>(
  (_, cols) => [cols, 1],
  () => [0, 1],
  () => [1, 0],
  () => [0, 0],
  (rows) => [1, rows],
  (_, cols, k) => [cols + k, 1],
  (_, cols, k) => [cols * k, k],
  (_, cols, k) => [-cols * k, -k],
  (_, cols) => [cols, -1],
  (_rows, _cols, k) => [k, k],
);
const layout = fc.record({
  rows: size,
  cols: size,
  k: fc.integer({ min: 2, max: 5 }),
  strides: fc.tuple(strides, strides, strides),
});

describe.each(floatArenas)("%s %s: strides", (_, dtype, arena) => {
  const kernels = arena.kernels[dtype];

  test.each([
    ["sub", (a: number, b: number) => a - b],
    ["maximum", Math.max],
    ["less", (a: number, b: number) => Number(a < b)],
    ["mul", (a: number, b: number) => a * b],
  ] as const)("%s", (name, f) => {
    fc.assert(
      fc.property(layout, ({ rows, cols, k, strides: [first, second] }) => {
        const a = operand(rows, cols, ...first(rows, cols, k), 1);
        const b = operand(rows, cols, ...second(rows, cols, k), 2);
        const y = arena.put(dtype, new Float64Array(rows * cols));
        const from = [put(arena, dtype, a), put(arena, dtype, b)] as const;
        kernels[name](rows, cols, from[0], a.row, a.col, from[1], b.row, b.col, y);
        const got = arena.get(dtype, y, rows * cols);
        arena.clear();
        const wanted = naive(rows, cols, (r, c) => f(read(a, r, c), read(b, r, c)));
        expect(got).toEqual(Array.from(dtype === "float32" ? new Float32Array(wanted) : wanted));
      }),
    );
  });

  test("select", () => {
    fc.assert(
      fc.property(layout, ({ rows, cols, k, strides: [first, second, third] }) => {
        const condition = operand(rows, cols, ...first(rows, cols, k), 0);
        const a = operand(rows, cols, ...second(rows, cols, k), 1);
        const b = operand(rows, cols, ...third(rows, cols, k), 2);
        for (const [i, v] of condition.values.entries()) {
          condition.values[i] = [1, 0, NaN, -0, -2][Math.abs(v) % 5]!;
        }
        const y = arena.put(dtype, new Float64Array(rows * cols));
        const [chosen, from, other] = [condition, a, b].map((o) => put(arena, dtype, o)) as [
          number,
          number,
          number,
        ];
        kernels.select(
          ...[rows, cols, chosen, condition.row, condition.col],
          ...[from, a.row, a.col, other, b.row, b.col, y],
        );
        const got = arena.get(dtype, y, rows * cols);
        arena.clear();
        const wanted = naive(rows, cols, (r, c) =>
          read(condition, r, c) !== 0 ? read(a, r, c) : read(b, r, c),
        );
        expect(got).toEqual(wanted);
      }),
    );
  });

  test("operands may be written over where they are contiguous", () => {
    const a = mixed.map((v) => v / 3);
    const b = mixed.toReversed();
    for (const which of [0, 1]) {
      const from = [arena.put(dtype, a), arena.put(dtype, b)] as const;
      kernels.div(2, 9, from[0], 9, 1, from[1], 9, 1, from[which]!);
      const got = arena.get(dtype, from[which]!, 18);
      arena.clear();
      expect(new Float64Array(got)).toEqual(binary(arena, dtype, "div", a, b));
    }
  });
});
