import { dot, lengthOf } from "./orthonormal.ts";

/** A singular value with the last component of its left singular vector. */
export interface SingularValue {
  readonly value: number;
  readonly last: number;
}

/**
 * The singular values of a square matrix, the largest first, by the one-sided method of Jacobi
 * (Hestenes 1958): it rotates pairs of columns until all are orthogonal; their lengths are the
 * singular values, also small ones to their own precision (Demmel & Veselić 1992).
 *
 * @param columns the columns of the matrix, which become its left singular vectors times the values
 */
export function jacobiSvd(columns: readonly Float64Array[]): SingularValue[] {
  const n = columns.length;
  const tolerance = n * 2 ** -52;
  let isRotated = true;
  for (let sweep = 0; isRotated && sweep < 40; sweep++) {
    isRotated = false;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        if (orthogonalise(columns[i]!, columns[j]!, tolerance)) isRotated = true;
      }
    }
  }
  const found = columns.map((column) => {
    const value = lengthOf(column);
    return { value, last: value === 0 ? 1 : Math.abs(column[n - 1]!) / value };
  });
  return found.sort((a, b) => b.value - a.value);
}

/** Rotates two columns so that they are orthogonal; whether they were not. */
function orthogonalise(x: Float64Array, y: Float64Array, tolerance: number): boolean {
  const [xx, yy, xy] = [dot(x, x), dot(y, y), dot(x, y)];
  if (!(Math.abs(xy) > tolerance * Math.sqrt(xx) * Math.sqrt(yy))) return false;
  const cotangent = (yy - xx) / (2 * xy);
  const tangent = Math.sign(cotangent || 1) / (Math.abs(cotangent) + Math.hypot(1, cotangent));
  const c = 1 / Math.hypot(1, tangent);
  const s = c * tangent;
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i]!, y[i]!];
    x[i] = c * a - s * b;
    y[i] = s * a + c * b;
  }
  return true;
}
