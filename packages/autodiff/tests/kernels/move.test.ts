import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arenas, type Dtype, floatArenas, integers, spread } from "./arena.ts";

interface Strides {
  readonly row: number;
  readonly col: number;
}

/**
 * Where the elements of a `rows` x `cols` array lie, the least at 0, and how many places they span.
 */
function layout(rows: number, cols: number, { row, col }: Strides) {
  const corners = rows && cols ? [0, (rows - 1) * row, (cols - 1) * col] : [0];
  const [, down = 0, across = 0] = corners;
  const low = Math.min(0, down) + Math.min(0, across);
  const high = Math.max(0, down) + Math.max(0, across);
  return { start: -low, span: rows && cols ? high - low + 1 : 0 };
}

const count = fc.oneof(fc.integer({ min: 0, max: 17 }), fc.integer({ min: 60, max: 70 }));
const stride = fc.integer({ min: -3, max: 80 });
const sign = fc.constantFrom(1, -1);

/**
 * Sizes, strides of any kind to read by, strides to write by that give each element a place of its
 * own.
 */
const copies = fc
  .record({
    rows: count,
    cols: count,
    xKind: fc.constantFrom("any", "rows", "columns", "broadcast"),
    yKind: fc.constantFrom("rows", "columns"),
    any: fc.tuple(stride, stride),
    gaps: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 2 })),
    signs: fc.tuple(sign, sign),
  })
  .map(({ rows, cols, xKind, yKind, any, gaps, signs }) => {
    const [gap, step] = gaps;
    const x: Strides = {
      any: { row: any[0], col: any[1] },
      rows: { row: cols + gap, col: 1 },
      columns: { row: 1, col: rows + gap },
      broadcast: { row: 0, col: gap },
    }[xKind];
    const y =
      yKind === "rows"
        ? { row: cols * step + gap, col: step }
        : { row: step, col: rows * step + gap };
    return { rows, cols, x, y: { row: signs[0] * y.row, col: signs[1] * y.col } };
  });

/** Patterns of all sorts, among them those of NaNs when read as floats. */
function patterns(length: number): number[] {
  return Array.from(
    { length },
    (_, i) => (Math.imul(i + 1, 0x9e3779b1) ^ (i % 3 ? 0 : -(2 ** 23))) | 0,
  );
}

const moves = arenas.flatMap(([name, arena]) => [
  [name, "move32", "int32", arena] as const,
  [name, "move64", "float64", arena] as const,
]);

describe.each(moves)("moves of %s, %s", (_, set, dtype, arena) => {
  const kernels = arena.kernels[set];
  const values = dtype === "int32" ? patterns : (length: number) => spread(length);

  test("copy moves each element between any strides and leaves the gaps", () => {
    fc.assert(
      fc.property(copies, ({ rows, cols, x, y }) => {
        const from = layout(rows, cols, x);
        const to = layout(rows, cols, y);
        const source = values(from.span);
        const size = dtype === "int32" ? 4 : 8;
        const expected = new Array<number>(to.span).fill(7);
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < cols; c++) {
            expected[to.start + r * y.row + c * y.col] =
              source[from.start + r * x.row + c * x.col]!;
          }
        }
        const input = arena.put(dtype, source);
        const output = arena.put(dtype, new Array<number>(to.span).fill(7));
        const [xStart, yStart] = [input + from.start * size, output + to.start * size];
        kernels.copy(rows, cols, xStart, x.row, x.col, yStart, y.row, y.col);
        expect(arena.get(dtype, output, to.span)).toEqual(expected);
        arena.clear();
      }),
      { numRuns: 400 },
    );
  });

  test("copy moves long contiguous rows", () => {
    const source = values(3000);
    const input = arena.put(dtype, source);
    const output = arena.put(dtype, new Array<number>(3000).fill(7));
    kernels.copy(3, 1000, input, 1000, 1, output, 1000, 1);
    expect(arena.get(dtype, output, 3000)).toEqual(source);
    arena.clear();
  });

  test("gather copies rows by index", () => {
    fc.assert(
      fc.property(count, count, (n, inner) => {
        const table = values(9 * inner);
        const indices = Array.from({ length: n }, (_, i) => (i * 5) % 9);
        const x = arena.put(dtype, table);
        const rows = arena.put("int32", indices);
        const y = arena.put(dtype, new Array<number>(n * inner).fill(7));
        kernels.gather(n, inner, x, rows, y);
        const expected = indices.flatMap((i) => table.slice(i * inner, (i + 1) * inner));
        expect(arena.get(dtype, y, n * inner)).toEqual(expected);
        arena.clear();
      }),
    );
  });
});

describe.each(floatArenas)("indexed writes and scans of %s in %s", (_, dtype, arena) => {
  const kernels = arena.kernels[dtype];

  test("scatterAdd adds rows to where they came from, repeated indices included", () => {
    fc.assert(
      fc.property(count, count, (n, inner) => {
        const table = integers(9 * inner, 1).map((value) => value + 0);
        const g = integers(n * inner, 2).map((value) => value + 0);
        const indices = Array.from({ length: n }, (_, i) => (i * 5) % 7);
        const y = arena.put(dtype, table);
        kernels.scatterAdd(n, inner, arena.put(dtype, g), arena.put("int32", indices), y);
        const expected = [...table];
        indices.forEach((index, i) => {
          for (let j = 0; j < inner; j++) expected[index * inner + j]! += g[i * inner + j]!;
        });
        expect(arena.get(dtype, y, table.length)).toEqual(expected);
        arena.clear();
      }),
    );
  });

  test("scatterAdd adds in the order of the rows", () => {
    const big = 2 / (dtype === "float32" ? 2 ** -24 : 2 ** -53);
    const y = arena.put(dtype, [0]);
    // In order, 1 is lost in the large value before that is taken away again.
    kernels.scatterAdd(3, 1, arena.put(dtype, [big, 1, -big]), arena.put("int32", [0, 0, 0]), y);
    expect(arena.get(dtype, y, 1)).toEqual([0]);
    arena.clear();
  });

  test("addTo adds between any strides and leaves the gaps", () => {
    const strides = fc.tuple(count, count, fc.nat(3), fc.nat(3), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(strides, ([rows, cols, xGap, yGap, xTurned, yTurned]) => {
        // Rows with a gap behind them, or columns that are rows in memory.
        const steps = (gap: number, isTurned: boolean): [number, number] =>
          isTurned ? [1, rows + gap] : [cols + gap, 1];
        const [xRow, xCol] = steps(xGap, xTurned);
        const [yRow, yCol] = steps(yGap, yTurned);
        const x = integers((rows + 4) * (cols + 4), 1);
        const y = integers((rows + 4) * (cols + 4), 2);
        const to = arena.put(dtype, y);
        kernels.addTo(rows, cols, arena.put(dtype, x), xRow, xCol, to, yRow, yCol);
        const expected = y.map((value) => value + 0);
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < cols; c++) expected[r * yRow + c * yCol]! += x[r * xRow + c * xCol]!;
        }
        expect(arena.get(dtype, to, y.length).map((value) => value + 0)).toEqual(expected);
        arena.clear();
      }),
    );
  });

  test("addRows adds the sum of rows, with one rounding", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 700 }), (rows, cols) => {
        const x = integers(rows * cols, 1);
        const y = integers(cols, 2);
        const to = arena.put(dtype, y);
        kernels.addRows(rows, cols, arena.put(dtype, x), to);
        const expected = y.map((value, c) => {
          let sum = value;
          for (let r = 0; r < rows; r++) sum += x[r * cols + c]!;
          return sum + 0;
        });
        expect(arena.get(dtype, to, cols).map((value) => value + 0)).toEqual(expected);
        arena.clear();
      }),
      { numRuns: 50 },
    );
  });

  test("oneHot marks the index, and nothing for an index outside", () => {
    fc.assert(
      fc.property(count, count, (n, depth) => {
        const indices = Array.from({ length: n }, (_, i) => ((i * 11) % (depth + 4)) - 2);
        const y = arena.put(dtype, new Array<number>(n * depth).fill(7));
        kernels.oneHot(n, depth, arena.put("int32", indices), y);
        const expected = indices.flatMap((index) =>
          Array.from({ length: depth }, (_, j) => (j === index ? 1 : 0)),
        );
        expect(arena.get(dtype, y, n * depth)).toEqual(expected);
        arena.clear();
      }),
    );
  });

  test("fill writes one value everywhere", () => {
    for (const value of [0, -1.5, Infinity, Number.NaN]) {
      for (let n = 0; n <= 17; n++) {
        const y = arena.put(dtype, new Array<number>(n).fill(7));
        kernels.fill(n, value, y);
        expect(arena.get(dtype, y, n)).toEqual(new Array(n).fill(value));
        arena.clear();
      }
    }
  });

  test("sumSquares is exact on integers and does not overflow in float32", () => {
    for (const n of [...Array(18).keys(), 33, 1001]) {
      const values = integers(n);
      const expected = values.reduce((sum, value) => sum + value * value, 0);
      expect(kernels.sumSquares(n, arena.put(dtype, values))).toBe(expected);
      arena.clear();
    }
    const large = 2 ** 100;
    expect(kernels.sumSquares(9, arena.put(dtype, new Array(9).fill(large)))).toBe(9 * 2 ** 200);
    arena.clear();
  });

  test("firstNonFinite finds NaN and infinities wherever they are", () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      for (let n = 0; n <= 40; n++) {
        for (let place = 0; place < n; place++) {
          const values = spread(n);
          values[place] = value;
          values[n - 1 - ((n - 1 - place) >> 1)] = value;
          expect(kernels.firstNonFinite(n, arena.put(dtype, values))).toBe(place);
          arena.clear();
        }
        const greatest = dtype === "float32" ? (2 - 2 ** -23) * 2 ** 127 : Number.MAX_VALUE;
        const values = new Array<number>(n).fill(greatest);
        expect(kernels.firstNonFinite(n, arena.put(dtype, values))).toBe(-1);
        arena.clear();
      }
    }
  });
});

describe.each(arenas)("casts and index checks of %s", (_, arena) => {
  const cast = (
    name: keyof typeof arena.kernels.cast,
    from: Dtype,
    to: Dtype,
    values: number[],
  ): number[] => {
    const x = arena.put(from, values);
    const y = arena.put(to, new Array<number>(values.length).fill(7));
    arena.kernels.cast[name](values.length, x, y);
    const result = arena.get(to, y, values.length);
    arena.clear();
    return result;
  };
  const extremes = [-0, 0.5, -1.5, 2.5, 1e10, -1e10, Infinity, -Infinity, Number.NaN, 7];
  const truncated = [0, 0, -1, 2, 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, -(2 ** 31), 0, 7];

  test("float32 to float64 changes no value", () => {
    for (let n = 0; n <= 10; n++) {
      const values = extremes.map(Math.fround).slice(0, n);
      expect(cast("float32ToFloat64", "float32", "float64", values)).toEqual(values);
    }
  });

  test("float64 to float32 rounds to nearest even", () => {
    // 1 + 2^-24 lies halfway between 1 and 1 + 2^-23; 2^-149 is the least float32.
    const values = [
      1 + 2 ** -24,
      1 + 3 * 2 ** -24,
      1e300,
      -1e300,
      2 ** -149,
      2 ** -151,
      Number.NaN,
    ];
    const rounded = [1, 1 + 2 ** -22, Infinity, -Infinity, 2 ** -149, 0, Number.NaN];
    for (let n = 0; n <= values.length; n++) {
      const result = cast("float64ToFloat32", "float64", "float32", values.slice(0, n));
      expect(result).toEqual(rounded.slice(0, n));
    }
  });

  test("to int32 truncates, saturates, and makes NaN zero", () => {
    for (let n = 0; n <= 10; n++) {
      const values = extremes.slice(0, n);
      const expected = truncated.slice(0, n);
      expect(cast("float32ToInt32", "float32", "int32", values)).toEqual(expected);
      expect(cast("float64ToInt32", "float64", "int32", values)).toEqual(expected);
    }
  });

  test("from int32 is exact in float64 and nearest in float32", () => {
    const values = [0, -1, 2 ** 24 + 1, 2 ** 24 + 3, 2 ** 31 - 1, -(2 ** 31), 12345];
    // Halves between float32 neighbours, which lie 2 apart there, go to the even one.
    const nearest = [0, -1, 2 ** 24, 2 ** 24 + 4, 2 ** 31, -(2 ** 31), 12345];
    for (let n = 0; n <= values.length; n++) {
      const some = values.slice(0, n);
      expect(cast("int32ToFloat64", "int32", "float64", some)).toEqual(some);
      expect(cast("int32ToFloat32", "int32", "float32", some)).toEqual(nearest.slice(0, n));
    }
  });

  test("firstOutOfRange finds the first index outside that is not the exception", () => {
    const find = (indices: number[], low: number, high: number): number => {
      const pointer = arena.put("int32", indices);
      const found = arena.kernels.firstOutOfRange(indices.length, pointer, low, high, -100);
      arena.clear();
      return found;
    };
    for (let n = 0; n <= 17; n++) {
      const valid = Array.from({ length: n }, (_, i) => (i % 3 === 2 ? -100 : i % 5));
      expect(find(valid, 0, 5)).toBe(-1);
      for (let place = 0; place < n; place++) {
        for (const bad of [5, -1, 2 ** 31 - 1, -(2 ** 31)]) {
          const indices = [...valid];
          indices[place] = bad;
          indices[n - 1] = bad;
          expect(find(indices, 0, 5)).toBe(place);
        }
      }
    }
    expect(find([-5, 4, -6], -5, 5)).toBe(2);
  });
});
