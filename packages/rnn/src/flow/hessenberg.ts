import { addScaled, dot, lengthOf, scaleBy } from "./orthonormal.ts";

/**
 * Makes a square matrix upper Hessenberg in place, `Q' A Q`, by the reflections of Householder
 * (1958): its eigenvalues stay, and below the first subdiagonal it has zeros.
 */
export function toHessenberg(rows: readonly Float64Array[]): void {
  const n = rows.length;
  const least = 2 ** -80 * Math.max(...rows.map(lengthOf));
  for (let k = 0; k + 2 < n; k++) {
    // The reflection I - 2 v v' takes the column below the diagonal to a multiple of e_1.
    const v = Float64Array.from(rows.slice(k + 1), (row) => row[k]!);
    const length = lengthOf(v);
    const rest = lengthOf(v.subarray(1));
    if (rest <= least) {
      for (let i = k + 2; i < n; i++) rows[i]![k] = 0;
      continue;
    }
    v[0]! += v[0]! < 0 ? -length : length;
    scaleBy(v, 1 / lengthOf(v));
    const sums = new Float64Array(n);
    for (const [i, x] of v.entries()) addScaled(sums, x, rows[k + 1 + i]!);
    for (const [i, x] of v.entries()) addScaled(rows[k + 1 + i]!, -2 * x, sums);
    for (const row of rows) {
      const part = row.subarray(k + 1);
      addScaled(part, -2 * dot(part, v), v);
    }
    for (let i = k + 2; i < n; i++) rows[i]![k] = 0;
  }
}
