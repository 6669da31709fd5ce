import { dot } from "./orthonormal.ts";

/**
 * Solves `A x = b` for a symmetric positive definite A by the decomposition `A = L L'` of Cholesky;
 * NaN where A is not positive definite.
 *
 * @param rows the rows of A, which become those of L on and below the diagonal
 */
export function solvePositive(rows: readonly Float64Array[], b: Float64Array): Float64Array {
  for (const [i, row] of rows.entries()) {
    for (let j = 0; j <= i; j++) {
      const rest = row[j]! - dot(row.subarray(0, j), rows[j]!.subarray(0, j));
      row[j] = i === j ? Math.sqrt(rest) : rest / rows[j]![j]!;
    }
  }
  const x = b.slice();
  for (const [i, row] of rows.entries()) {
    x[i] = (x[i]! - dot(row.subarray(0, i), x.subarray(0, i))) / row[i]!;
  }
  for (let i = rows.length - 1; i >= 0; i--) {
    x[i]! /= rows[i]![i]!;
    for (let j = 0; j < i; j++) x[j]! -= rows[i]![j]! * x[i]!;
  }
  return x;
}
