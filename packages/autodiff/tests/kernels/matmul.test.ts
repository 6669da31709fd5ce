import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packedLength } from "../../src/kernels/matmul.ts";
import { type Arena, floatArenas, integers, roundoff, spread } from "./arena.ts";

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aTransposed: number;
  readonly bTransposed: number;
  readonly accumulate: number;
  /** What each leading dimension has beyond the stored row. */
  readonly gaps: readonly [number, number, number];
}

type Values = (count: number, seed: number) => number[];

/** Stored operands of a product; the leading dimensions leave gaps. */
function operands(product: Product, values: Values) {
  const { m, n, k, aTransposed, bTransposed, gaps } = product;
  const lda = (aTransposed ? m : k) + gaps[0];
  const ldb = (bTransposed ? k : n) + gaps[1];
  const ldc = n + gaps[2];
  const a = values((aTransposed ? k : m) * lda, 1);
  const b = values((bTransposed ? n : k) * ldb, 2);
  const c = values(m * ldc, 3);
  const left = (i: number, p: number) => a[aTransposed ? p * lda + i : i * lda + p]!;
  const right = (p: number, j: number) => b[bTransposed ? j * ldb + p : p * ldb + j]!;
  return { lda, ldb, ldc, a, b, c, left, right };
}

type Operands = ReturnType<typeof operands>;

function run(arena: Arena, dtype: "float32" | "float64", product: Product, stored: Operands) {
  const { m, n, k, aTransposed, bTransposed, accumulate } = product;
  const { lda, ldb, ldc } = stored;
  const a = arena.put(dtype, stored.a);
  const b = arena.put(dtype, stored.b);
  const c = arena.put(dtype, stored.c);
  arena.kernels[dtype].matmul(
    m,
    n,
    k,
    a,
    lda,
    aTransposed,
    b,
    ldb,
    bTransposed,
    c,
    ldc,
    accumulate,
  );
  expect(arena.get(dtype, a, stored.a.length)).toEqual(stored.a);
  expect(arena.get(dtype, b, stored.b.length)).toEqual(stored.b);
  const result = arena.get(dtype, c, stored.c.length);
  arena.clear();
  return result;
}

/** The definition in float64; `magnitudes` sums absolute values. Gaps of `c` keep what they had. */
function naive(product: Product, stored: Operands) {
  const { m, n, k, accumulate } = product;
  const expected = [...stored.c];
  const magnitudes = stored.c.map(Math.abs);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const index = i * stored.ldc + j;
      let sum = accumulate ? stored.c[index]! : 0;
      let magnitude = Math.abs(sum);
      for (let p = 0; p < k; p++) {
        const term = stored.left(i, p) * stored.right(p, j);
        sum += term;
        magnitude += Math.abs(term);
      }
      expected[index] = sum;
      magnitudes[index] = magnitude;
    }
  }
  return { expected, magnitudes };
}

const flag = fc.integer({ min: 0, max: 1 });
const gap = fc.integer({ min: 0, max: 3 });
const small = fc.integer({ min: 0, max: 17 });
const products: fc.Arbitrary<Product> = fc.record({
  m: small,
  n: fc.oneof(small, fc.integer({ min: 18, max: 70 })),
  k: small,
  aTransposed: flag,
  bTransposed: flag,
  accumulate: flag,
  gaps: fc.tuple(gap, gap, gap),
});
const transposes = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;
const compact = [0, 0, 0] as const;

/** A BLAS adds up in an order of its own, which may differ from product to product. */
function isBlas({ kernels }: Arena): boolean {
  return kernels.prefersPacked !== undefined;
}

describe.each(floatArenas)("matmul of %s in %s", (_, dtype, arena) => {
  test("is the definition, bitwise, on integers", () => {
    fc.assert(
      fc.property(products, (product) => {
        const stored = operands(product, integers);
        // Adding 0 turns -0 into 0: the sign of an exact zero depends on the order of summation.
        const result = run(arena, dtype, product, stored).map((value) => value + 0);
        expect(result).toEqual(naive(product, stored).expected.map((value) => value + 0));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    [33, 65, 129],
    [1, 70, 513],
    [7, 9, 257],
    [97, 8, 512],
    [200, 33, 31],
    [13, 40, 700],
  ])("is the definition, bitwise, on integers of %d x %d x %d", (m, n, k) => {
    for (const [aTransposed, bTransposed] of transposes) {
      for (const accumulate of [0, 1]) {
        const product = { m, n, k, aTransposed, bTransposed, accumulate, gaps: [1, 2, 3] as const };
        const stored = operands(product, integers);
        const result = run(arena, dtype, product, stored).map((value) => value + 0);
        expect(result).toEqual(naive(product, stored).expected.map((value) => value + 0));
      }
    }
  });

  test("errs by at most (k + 2) roundings of the sum of magnitudes", () => {
    // Higham 2002, section 3.1: any order of k products and sums, one sum more for c, one rounding
    // to store; the float64 oracle errs as much again in float64.
    const large = fc.integer({ min: 1, max: 600 });
    fc.assert(
      fc.property(products, large, (drawn, k) => {
        const product = { ...drawn, k };
        const stored = operands(product, spread);
        const result = run(arena, dtype, product, stored);
        const { expected, magnitudes } = naive(product, stored);
        const slack = (k + 2) * (roundoff[dtype] + roundoff.float64);
        for (let i = 0; i < result.length; i++) {
          expect(Math.abs(result[i]! - expected[i]!)).toBeLessThanOrEqual(slack * magnitudes[i]!);
        }
      }),
      { numRuns: 40 },
    );
  });

  test.skipIf(isBlas(arena))(
    "gives each element the same bits in every product that contains it",
    () => {
      const [m, n, k] = [29, 45, 300] as const;
      const a = spread(m * k, 4);
      const b = spread(k * n, 5);
      const product = { m, n, k, aTransposed: 0, bTransposed: 0, accumulate: 0, gaps: compact };
      const whole = run(arena, dtype, product, {
        ...operands(product, spread),
        a,
        b,
      });
      for (const [aTransposed, bTransposed] of transposes) {
        for (const [row, rows, column, columns] of [
          [0, m, 0, n],
          [3, 1, 0, n],
          [28, 1, 5, 40],
          [2, 17, 7, 3],
          [5, 2, 44, 1],
        ] as const) {
          const part = { ...product, m: rows, n: columns, aTransposed, bTransposed };
          const stored = operands(part, spread);
          for (let p = 0; p < k; p++) {
            for (let i = 0; i < rows; i++) {
              stored.a[aTransposed ? p * rows + i : i * k + p] = a[(row + i) * k + p]!;
            }
            for (let j = 0; j < columns; j++) {
              stored.b[bTransposed ? j * k + p : p * columns + j] = b[p * n + column + j]!;
            }
          }
          const expected = Array.from({ length: rows }, (_, i) =>
            whole.slice((row + i) * n + column, (row + i) * n + column + columns),
          );
          expect(run(arena, dtype, part, stored)).toEqual(expected.flat());
        }
      }
    },
  );

  test.skipIf(isBlas(arena))("by a packed matrix gives the same bits", () => {
    const large = fc.integer({ min: 1, max: 600 });
    fc.assert(
      fc.property(products, large, fc.integer({ min: 2, max: 60 }), (drawn, k, m) => {
        const product = { ...drawn, m, k };
        const { n, aTransposed, bTransposed, accumulate } = product;
        const stored = operands(product, spread);
        const expected = run(arena, dtype, product, stored);
        const { lda, ldb, ldc } = stored;
        const { pack, matmulPacked } = arena.kernels[dtype];
        const packed = arena.put(dtype, new Float64Array(packedLength(n, k)));
        pack(n, k, arena.put(dtype, stored.b), ldb, bTransposed, packed);
        const c = arena.put(dtype, stored.c);
        const a = arena.put(dtype, stored.a);
        matmulPacked(m, n, k, a, lda, aTransposed, packed, c, ldc, accumulate);
        expect(arena.get(dtype, c, stored.c.length)).toEqual(expected);
        arena.clear();
      }),
      { numRuns: 60 },
    );
  });

  test("does not depend on alignment", () => {
    for (const [m, n, k] of [
      [7, 19, 30],
      [1, 40, 30],
    ] as const) {
      for (const [aTransposed, bTransposed] of transposes) {
        const product = {
          m,
          n,
          k,
          aTransposed,
          bTransposed,
          accumulate: 1,
          gaps: [1, 2, 3] as const,
        };
        const stored = operands(product, spread);
        const first = run(arena, dtype, product, stored);
        for (let round = 1; round < 16; round++) {
          expect(run(arena, dtype, product, stored)).toEqual(first);
        }
      }
    }
  });

  test("keeps NaN and infinity to the rows and columns they are in", () => {
    for (const [aTransposed, bTransposed] of transposes) {
      for (const [m, n, k] of [
        [13, 11, 10],
        [1, 37, 6],
        [4, 3, 5],
      ] as const) {
        const product = { m, n, k, aTransposed, bTransposed, accumulate: 0, gaps: compact };
        const stored = operands(product, (count) => new Array<number>(count).fill(1));
        stored.a[aTransposed ? m - 1 : (m - 1) * k] = Number.NaN;
        stored.b[bTransposed ? (n - 1) * k : n - 1] = Infinity;
        const expected = Array.from({ length: m * n }, (_, index) => {
          if (Math.floor(index / n) === m - 1) return Number.NaN;
          return index % n === n - 1 ? Infinity : k;
        });
        expect(run(arena, dtype, product, stored)).toEqual(expected);
      }
    }
  });

  test("without inner steps gives zeros, or leaves c", () => {
    const product = {
      m: 3,
      n: 5,
      k: 0,
      aTransposed: 0,
      bTransposed: 0,
      accumulate: 0,
      gaps: compact,
    };
    const stored = operands(product, integers);
    expect(run(arena, dtype, product, stored)).toEqual(new Array(15).fill(0));
    expect(run(arena, dtype, { ...product, accumulate: 1 }, stored)).toEqual(stored.c);
  });
});
