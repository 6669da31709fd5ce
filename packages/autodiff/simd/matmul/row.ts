import { lanes, madd } from "../vector";

/**
 * Products of a single row. Each element is the same chain of multiply-adds as in a tile; several
 * vectors of columns go side by side, because one chain alone waits for its own latency.
 */

/**
 * Columns of a strip: eight vectors where stored rows of `B` cross it, four where they run along.
 */
// @ts-ignore: decorator
@inline
export function stripColumns<T>(bTransposed: i32): i32 {
  return (bTransposed ? 64 : 128) / sizeof<T>();
}

// @ts-ignore: decorator
@inline
function put<T>(c: usize, value: v128, accumulate: bool): void {
  v128.store(c, accumulate ? v128.add<T>(v128.load(c), value) : value);
}

/** `c[strip] = (accumulate ? c : 0) + a B` over `k` steps, `B` stored as `b[k, strip]`. */
export function stripAcross<T>(
  k: i32, a: usize, b: usize, bStep: usize, c: usize, accumulate: bool,
): void {
  let c0 = v128.splat<T>(0), c1 = c0, c2 = c0, c3 = c0;
  let c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  for (const end: usize = a + <usize>k * sizeof<T>(); a != end; a += sizeof<T>()) {
    const x = v128.load_splat<T>(a);
    c0 = madd<T>(x, v128.load(b), c0);
    c1 = madd<T>(x, v128.load(b, 16), c1);
    c2 = madd<T>(x, v128.load(b, 32), c2);
    c3 = madd<T>(x, v128.load(b, 48), c3);
    c4 = madd<T>(x, v128.load(b, 64), c4);
    c5 = madd<T>(x, v128.load(b, 80), c5);
    c6 = madd<T>(x, v128.load(b, 96), c6);
    c7 = madd<T>(x, v128.load(b, 112), c7);
    b += bStep;
  }
  put<T>(c, c0, accumulate);
  put<T>(c + 16, c1, accumulate);
  put<T>(c + 32, c2, accumulate);
  put<T>(c + 48, c3, accumulate);
  put<T>(c + 64, c4, accumulate);
  put<T>(c + 80, c5, accumulate);
  put<T>(c + 96, c6, accumulate);
  put<T>(c + 112, c7, accumulate);
}

/**
 * One vector of columns over one vector of steps: a square of `B`, transposed, times the steps of
 * `a`.
 */
// @ts-ignore: decorator
@inline
function square<T>(a: usize, b: usize, bStep: usize, sum: v128): v128 {
  const r0 = v128.load(b);
  const r1 = v128.load(b + bStep);
  if (sizeof<T>() == 8) {
    sum = madd<T>(v128.load_splat<T>(a), v128.shuffle<f64>(r0, r1, 0, 2), sum);
    return madd<T>(v128.load_splat<T>(a, 8), v128.shuffle<f64>(r0, r1, 1, 3), sum);
  }
  const r2 = v128.load(b + 2 * bStep);
  const r3 = v128.load(b + 3 * bStep);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  sum = madd<T>(v128.load_splat<T>(a), v128.shuffle<f64>(low01, low23, 0, 2), sum);
  sum = madd<T>(v128.load_splat<T>(a, 4), v128.shuffle<f64>(low01, low23, 1, 3), sum);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  sum = madd<T>(v128.load_splat<T>(a, 8), v128.shuffle<f64>(high01, high23, 0, 2), sum);
  return madd<T>(v128.load_splat<T>(a, 12), v128.shuffle<f64>(high01, high23, 1, 3), sum);
}

/** One vector of columns over one step. */
// @ts-ignore: decorator
@inline
function column<T>(a: usize, b: usize, bStep: usize, sum: v128): v128 {
  let values = v128.load_zero<T>(b);
  values = v128.load_lane<T>(b + bStep, values, 1);
  if (sizeof<T>() == 4) {
    values = v128.load_lane<T>(b + 2 * bStep, values, 2);
    values = v128.load_lane<T>(b + 3 * bStep, values, 3);
  }
  return madd<T>(v128.load_splat<T>(a), values, sum);
}

/** The same with `B` stored as `b[strip, k]`. */
export function stripAlong<T>(
  k: i32, a: usize, b: usize, bStep: usize, c: usize, accumulate: bool,
): void {
  let c0 = v128.splat<T>(0), c1 = c0, c2 = c0, c3 = c0;
  const vectorStep = <usize>lanes<T>() * bStep;
  let b1 = b + vectorStep;
  let b2 = b1 + vectorStep;
  let b3 = b2 + vectorStep;
  for (; k >= lanes<T>(); k -= lanes<T>()) {
    c0 = square<T>(a, b, bStep, c0);
    c1 = square<T>(a, b1, bStep, c1);
    c2 = square<T>(a, b2, bStep, c2);
    c3 = square<T>(a, b3, bStep, c3);
    a += 16;
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
  }
  for (; k > 0; k--) {
    c0 = column<T>(a, b, bStep, c0);
    c1 = column<T>(a, b1, bStep, c1);
    c2 = column<T>(a, b2, bStep, c2);
    c3 = column<T>(a, b3, bStep, c3);
    a += sizeof<T>();
    b += sizeof<T>();
    b1 += sizeof<T>();
    b2 += sizeof<T>();
    b3 += sizeof<T>();
  }
  put<T>(c, c0, accumulate);
  put<T>(c + 16, c1, accumulate);
  put<T>(c + 32, c2, accumulate);
  put<T>(c + 48, c3, accumulate);
}
