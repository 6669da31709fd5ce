import { toHessenberg } from "./hessenberg.ts";
import { jacobiSvd, type SingularValue } from "./jacobiSvd.ts";
import { type Complex, modulus, Schur } from "./schur.ts";

/** The eigenvalues of a square matrix, the largest modulus first. */
export function eigenvaluesOf(rows: readonly ArrayLike<number>[]): Complex[] {
  return spectrumOf(rows).values;
}

/**
 * The eigenvalues of a square matrix, the largest modulus first, and the last component of the
 * eigenvector of the first as a share of its length; for matrices that are upper Hessenberg.
 */
export function spectrumOf(rows: readonly ArrayLike<number>[]): {
  readonly values: Complex[];
  readonly last: number;
} {
  const { matrix, scale } = scaled(rows);
  toHessenberg(matrix);
  const schur = new Schur(matrix);
  const found = schur.eigenvalues;
  const first = found.reduce(
    (best, value, i) => (modulus(value) > modulus(found[best]!) ? i : best),
    0,
  );
  const values = inPairs(found).map(([re, im]): Complex => [re * scale, im * scale]);
  values.sort((a, b) => modulus(b) - modulus(a) || b[1] - a[1]);
  return { values, last: schur.lastOf(first) };
}

/** The singular values of a square matrix, the largest first. */
export function singularValuesOf(rows: readonly ArrayLike<number>[]): SingularValue[] {
  const { matrix, scale } = scaled(rows);
  const columns = matrix.map((_, j) => Float64Array.from(matrix, (row) => row[j]!));
  return jacobiSvd(columns).map(({ value, last }) => ({ value: value * scale, last }));
}

/** Eigenvalues of a real matrix, those that are not real as exact pairs `a +- ib`. */
function inPairs(values: readonly Complex[]): Complex[] {
  const largest = Math.max(...values.map(modulus));
  const isReal = ([, im]: Complex) => Math.abs(im) <= 2 ** -46 * largest;
  const pairs: Complex[] = values.filter(isReal).map(([re]) => [re, 0]);
  const lower = values.filter((value) => !isReal(value) && value[1] < 0);
  for (const [re, im] of values.filter((value) => !isReal(value) && value[1] > 0)) {
    const distance = (other: Complex) => Math.hypot(other[0] - re, other[1] + im);
    const nearest = lower.reduce<number>((best, other, i) => {
      return best < 0 || distance(other) < distance(lower[best]!) ? i : best;
    }, -1);
    const [partner = [re, -im] as const] = nearest < 0 ? [] : lower.splice(nearest, 1);
    const [a, b] = [(re + partner[0]) / 2, (im - partner[1]) / 2];
    pairs.push([a, b], [a, -b]);
  }
  return pairs;
}

/** A matrix divided by a power of two near its largest element, so that squares stay finite. */
function scaled(rows: readonly ArrayLike<number>[]): { matrix: Float64Array[]; scale: number } {
  let largest = 0;
  for (const row of rows) {
    for (let j = 0; j < row.length; j++) largest = Math.max(largest, Math.abs(row[j]!));
  }
  const exponent = largest === 0 ? 0 : Math.floor(Math.log2(largest));
  // Of a subnormal number the reciprocal overflows.
  const scale = 2 ** Math.max(-1022, Math.min(1022, exponent));
  return { matrix: rows.map((row) => Float64Array.from(row, (x) => x / scale)), scale };
}
