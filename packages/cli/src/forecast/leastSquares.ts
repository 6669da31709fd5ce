/**
 * The coefficients c that make `|y - X c|` least, by Householder reflections (Golub & Van Loan
 * 2013, Matrix Computations, 5.3), and the mean of the squared residuals. A column that those
 * before it give has the coefficient 0.
 *
 * @param rows of X, one for each value of y, at least as many as there are columns
 */
export function leastSquares(
  rows: readonly Float64Array[],
  y: Float64Array,
): { readonly coefficients: Float64Array; readonly error: number } {
  const [m, n] = [rows.length, rows[0]!.length];
  // The columns of X become those of R, above reflected zeros, and y becomes Q' y.
  const columns = Array.from({ length: n }, (_, j) => Float64Array.from(rows, (row) => row[j]!));
  const b = Float64Array.from(y);
  const norm = (of: Float64Array, from: number) => Math.hypot(...chunks(of, from));
  const lengths = columns.map((column) => norm(column, 0));
  const pivots: number[] = [];
  columns.forEach((column, j) => {
    const k = pivots.length;
    const length = k < m ? norm(column, k) : 0;
    if (!(length > 1e-10 * lengths[j]!)) return;
    const v = column.slice(k);
    const sign = v[0]! < 0 ? -1 : 1;
    v[0] = v[0]! + sign * length;
    const square = v.reduce((sum, x) => sum + x * x, 0);
    for (const other of [...columns.slice(j), b]) {
      let dot = 0;
      for (let i = k; i < m; i++) dot += v[i - k]! * other[i]!;
      for (let i = k; i < m; i++) other[i] = other[i]! - ((2 * dot) / square) * v[i - k]!;
    }
    pivots.push(j);
  });
  const coefficients = new Float64Array(n);
  for (let k = pivots.length - 1; k >= 0; k--) {
    let rest = b[k]!;
    for (const j of pivots.slice(k + 1)) rest -= columns[j]![k]! * coefficients[j]!;
    coefficients[pivots[k]!] = rest / columns[pivots[k]!]![k]!;
  }
  return { coefficients, error: norm(b, pivots.length) ** 2 / m };
}

/** Norms of parts: the arguments of one call are bounded. */
function chunks(of: Float64Array, from: number): number[] {
  const norms: number[] = [];
  for (let i = from; i < of.length; i += 1000) norms.push(Math.hypot(...of.subarray(i, i + 1000)));
  return norms;
}
