import { expect, test } from "vitest";
import { eigenvaluesOf, singularValuesOf } from "../../src/flow/dense.ts";

const matrix = (n: number, of: (i: number, k: number) => number) =>
  Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, k) => of(i, k)));

const moduli = (rows: readonly Float64Array[]) =>
  eigenvaluesOf(rows)
    .map(([re, im]) => Math.hypot(re, im))
    .sort((a, b) => b - a);

// Dead units make Jacobians of low rank.
test.each([2, 33, 64, 100])(
  "a matrix of ones, of size %i, has one eigenvalue that is not 0",
  (n) => {
    const rows = matrix(n, () => 1);
    const [largest, ...others] = moduli(rows);
    expect(largest).toBeCloseTo(n, 9);
    for (const other of others) expect(other).toBeLessThan(1e-9 * n);
    const values = singularValuesOf(rows).map(({ value }) => value);
    expect(Math.max(...values)).toBeCloseTo(n, 9);
  },
);

test("eigenvalues of a circulant matrix are the Fourier transform of its row", () => {
  const row = [3, -1, 0.5, 2, -4, 1, 0.25];
  const n = row.length;
  const found = moduli(matrix(n, (i, k) => row[(k - i + n) % n]!));
  const expected = row
    .map((_, j) => {
      const angle = (2 * Math.PI * j) / n;
      const re = row.reduce((sum, c, k) => sum + c * Math.cos(angle * k), 0);
      const im = row.reduce((sum, c, k) => sum + c * Math.sin(angle * k), 0);
      return Math.hypot(re, im);
    })
    .sort((a, b) => b - a);
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 10);
});

test("a defective matrix, a rotation and zeros", () => {
  expect(moduli(matrix(3, (i, k) => (k === i + 1 ? 1 : 0)))).toEqual([0, 0, 0]);
  const [a, b] = moduli([Float64Array.of(0, 2), Float64Array.of(-2, 0)]);
  expect(a).toBeCloseTo(2, 12);
  expect(b).toBeCloseTo(2, 12);
  expect(moduli(matrix(4, () => 0))).toEqual([0, 0, 0, 0]);
});
