import { shown } from "../checks.ts";
import type { Rng } from "../rng/rng.ts";
import { checkLengths, type Initializer } from "./initializer.ts";

/**
 * A matrix with orthonormal columns (rows, where there are fewer of them), times `gain`: every
 * orthogonal matrix is equally likely. What passes through it keeps its length, forwards and
 * backwards through time.
 *
 * It is the Q of a QR decomposition of normal draws, with the signs that make R's diagonal positive
 * (Saxe, McClelland & Ganguli 2014, Exact solutions to the nonlinear dynamics of learning in deep
 * linear neural networks; Mezzadri 2007 for the signs).
 *
 * @param columns as many as rows unless given
 * @param gain 1 unless given
 * @throws for lengths that are not whole numbers of at least 1, or a gain that is not finite
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * const W = initialize(init.orthogonal(3), rng(1));
 * Math.abs(W.matmul(W, { transposeB: true }).sum().item() - 3) < 1e-5; // => true
 * ```
 */
export function orthogonal(rows: number, columns: number = rows, gain = 1): Initializer {
  checkLengths([rows, columns], "orthogonal", 1);
  if (!Number.isFinite(gain)) {
    throw new RangeError(`orthogonal: gain must be a finite number, got ${shown(gain)}`);
  }
  return { shape: [rows, columns], draw: (rng) => draw(rows, columns, gain, rng) };
}

function draw(rows: number, columns: number, gain: number, rng: Rng): Float64Array {
  const tall = Math.max(rows, columns);
  const narrow = Math.min(rows, columns);
  const normal = Float64Array.from({ length: tall * narrow }, () => rng.normal());
  const q = orthonormalColumns(normal, tall, narrow);
  for (let i = 0; i < q.length; i++) q[i]! *= gain;
  return rows >= columns ? q : transposed(q, tall, narrow);
}

function transposed(x: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from(
    { length: x.length },
    (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!,
  );
}

/**
 * The Q of `a = QR` with a positive diagonal of R, by Householder reflections (Golub & Van Loan,
 * section 5.2). `a` is `[m, n]`, m >= n, row-major, and is overwritten: by the reflections' vectors
 * on and below the diagonal.
 */
export function orthonormalColumns(a: Float64Array, m: number, n: number): Float64Array {
  const squares = new Float64Array(n);
  const signs = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let square = 0;
    for (let i = k; i < m; i++) square += a[i * n + k]! ** 2;
    const norm = Math.sqrt(square);
    const head = a[k * n + k]!;
    // Reflecting onto -sign(head) e_k avoids cancellation; that is the sign of R's diagonal
    // element.
    signs[k] = head < 0 ? 1 : -1;
    a[k * n + k] = head - signs[k]! * norm;
    squares[k] = 2 * norm * (norm + Math.abs(head));
    reflect(a, k, a, k + 1, squares[k]!, m, n);
  }
  const q = new Float64Array(m * n);
  for (let k = n - 1; k >= 0; k--) {
    q[k * n + k] = 1;
    reflect(a, k, q, k, squares[k]!, m, n);
  }
  for (let i = 0; i < q.length; i++) q[i]! *= signs[i % n]!;
  return q;
}

/**
 * `y -= 2 v (v' y) / (v' v)` on the columns of `y` from `from` on, where `v` is column `k` of `a`
 * from row `k` on.
 */
function reflect(
  a: Float64Array,
  k: number,
  y: Float64Array,
  from: number,
  square: number,
  m: number,
  n: number,
): void {
  if (square === 0) return;
  const products = new Float64Array(n);
  for (let i = k; i < m; i++) {
    const v = a[i * n + k]!;
    for (let j = from; j < n; j++) products[j]! += v * y[i * n + j]!;
  }
  for (let i = k; i < m; i++) {
    const v = (2 * a[i * n + k]!) / square;
    for (let j = from; j < n; j++) y[i * n + j]! -= v * products[j]!;
  }
}
