import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from "ml-matrix";

/** A number of the complex plane, as `[real, imaginary]`. */
export type Complex = readonly [re: number, im: number];

/** An eigenvalue with the last component of its eigenvector, as a share of the vector's length. */
export interface Eigenvalue {
  readonly value: Complex;
  readonly last: number;
}

/** A singular value with the last component of its left singular vector. */
export interface SingularValue {
  readonly value: number;
  readonly last: number;
}

/** The eigenvalues of a square matrix, the largest modulus first. */
export function eigenvaluesOf(rows: readonly ArrayLike<number>[]): Eigenvalue[] {
  const matrix = new Matrix(rows.map((row) => Array.from(row)));
  const { realEigenvalues, imaginaryEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    matrix,
  );
  const n = rows.length;
  const found = realEigenvalues.map((re, i) => {
    const im = imaginaryEigenvalues[i]!;
    // The vectors of a pair are x + iy and x - iy; x and y stand in two columns.
    const columns = im === 0 ? [i] : im > 0 ? [i, i + 1] : [i - 1, i];
    const vectors = columns.map((column) => eigenvectorMatrix.getColumn(column));
    const last = Math.hypot(...vectors.map((vector) => vector[n - 1]!));
    const length = Math.hypot(...vectors.flat());
    return { value: [re, im] as const, last: length === 0 ? 1 : last / length };
  });
  return found.sort((a, b) => modulus(b.value) - modulus(a.value) || b.value[1] - a.value[1]);
}

/** The singular values of a square matrix, the largest first. */
export function singularValuesOf(rows: readonly ArrayLike<number>[]): SingularValue[] {
  const matrix = new Matrix(rows.map((row) => Array.from(row)));
  const decomposition = new SingularValueDecomposition(matrix, {
    computeRightSingularVectors: false,
  });
  const { diagonal, leftSingularVectors } = decomposition;
  const n = rows.length;
  return diagonal.map((value, i) => ({ value, last: Math.abs(leftSingularVectors.get(n - 1, i)) }));
}

/** The distance of a complex number from 0. */
export function modulus([re, im]: Complex): number {
  return Math.hypot(re, im);
}
