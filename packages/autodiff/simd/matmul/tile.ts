import { madd } from "../vector";

/** Rows of the largest tile: 12 accumulators, two vectors of `B`, one of `A` fill 15 registers. */
export const tileRows: i32 = 6;

/** Columns of a tile: two vectors. */
// @ts-ignore: decorator
@inline
export function tileColumns<T>(): i32 {
  return 32 / sizeof<T>();
}

/** Puts two vectors of a row of the tile into `c`. */
// @ts-ignore: decorator
@inline
function put<T>(c: usize, left: v128, right: v128, accumulate: bool): void {
  if (accumulate) {
    left = v128.add<T>(v128.load(c), left);
    right = v128.add<T>(v128.load(c, 16), right);
  }
  v128.store(c, left);
  v128.store(c, right, 16);
}

/**
 * The outer-product micro-kernel (Goto & van de Geijn 2008, section 6) for `rows` rows, a constant:
 * every element is one chain of `k` multiply-adds from zero, whatever its place in a tile.
 */
// @ts-ignore: decorator
@inline
function outerProducts<T>(
  rows: i32, k: i32, a: usize, b: usize, bStep: usize, c: usize, cStep: usize, accumulate: bool,
): void {
  let c00 = v128.splat<T>(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  const aStep: usize = <usize>rows * sizeof<T>();
  for (const end: usize = a + <usize>k * aStep; a != end; a += aStep) {
    const left = v128.load(b);
    const right = v128.load(b, 16);
    let x = v128.load_splat<T>(a);
    c00 = madd<T>(x, left, c00);
    c01 = madd<T>(x, right, c01);
    if (rows > 1) {
      x = v128.load_splat<T>(a, 1 * sizeof<T>());
      c10 = madd<T>(x, left, c10);
      c11 = madd<T>(x, right, c11);
    }
    if (rows > 2) {
      x = v128.load_splat<T>(a, 2 * sizeof<T>());
      c20 = madd<T>(x, left, c20);
      c21 = madd<T>(x, right, c21);
    }
    if (rows > 3) {
      x = v128.load_splat<T>(a, 3 * sizeof<T>());
      c30 = madd<T>(x, left, c30);
      c31 = madd<T>(x, right, c31);
    }
    if (rows > 4) {
      x = v128.load_splat<T>(a, 4 * sizeof<T>());
      c40 = madd<T>(x, left, c40);
      c41 = madd<T>(x, right, c41);
    }
    if (rows > 5) {
      x = v128.load_splat<T>(a, 5 * sizeof<T>());
      c50 = madd<T>(x, left, c50);
      c51 = madd<T>(x, right, c51);
    }
    b += bStep;
  }
  put<T>(c, c00, c01, accumulate);
  if (rows > 1) put<T>((c += cStep), c10, c11, accumulate);
  if (rows > 2) put<T>((c += cStep), c20, c21, accumulate);
  if (rows > 3) put<T>((c += cStep), c30, c31, accumulate);
  if (rows > 4) put<T>((c += cStep), c40, c41, accumulate);
  if (rows > 5) put<T>((c += cStep), c50, c51, accumulate);
}

/**
 * `c[rows, 2 vectors] = (accumulate ? c : 0) + A B` over `k` steps. `A` is packed, `rows` elements
 * to a step; `bStep` and `cStep` are bytes between rows.
 */
export function tile<T>(
  rows: i32, k: i32, a: usize, b: usize, bStep: usize, c: usize, cStep: usize, accumulate: bool,
): void {
  if (rows == 6) outerProducts<T>(6, k, a, b, bStep, c, cStep, accumulate);
  else if (rows == 5) outerProducts<T>(5, k, a, b, bStep, c, cStep, accumulate);
  else if (rows == 4) outerProducts<T>(4, k, a, b, bStep, c, cStep, accumulate);
  else if (rows == 3) outerProducts<T>(3, k, a, b, bStep, c, cStep, accumulate);
  else if (rows == 2) outerProducts<T>(2, k, a, b, bStep, c, cStep, accumulate);
  else outerProducts<T>(1, k, a, b, bStep, c, cStep, accumulate);
}
