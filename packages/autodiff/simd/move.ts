import { addTo } from "./move/add";
import { copy } from "./move/copy";
import { fill, gather, oneHot, scatterAdd } from "./move/rows";
import { firstNonFinite, limitNorm, norm, sumSquares } from "./move/scan";

export * from "./move/cast";
export { firstOutOfRange } from "./move/scan";

export function move32_copy(
  rows: i32, cols: i32, x: usize, xRow: i32, xCol: i32, y: usize, yRow: i32, yCol: i32,
): void {
  copy<f32>(rows, cols, x, xRow, xCol, y, yRow, yCol);
}

export function move32_gather(n: i32, inner: i32, x: usize, indices: usize, y: usize): void {
  gather<f32>(n, inner, x, indices, y);
}

export function move64_copy(
  rows: i32, cols: i32, x: usize, xRow: i32, xCol: i32, y: usize, yRow: i32, yCol: i32,
): void {
  copy<f64>(rows, cols, x, xRow, xCol, y, yRow, yCol);
}

export function move64_gather(n: i32, inner: i32, x: usize, indices: usize, y: usize): void {
  gather<f64>(n, inner, x, indices, y);
}

export function f32_scatterAdd(n: i32, inner: i32, g: usize, indices: usize, y: usize): void {
  scatterAdd<f32>(n, inner, g, indices, y);
}

export function f32_oneHot(n: i32, depth: i32, indices: usize, y: usize): void {
  oneHot<f32>(n, depth, indices, y);
}

export function f32_fill(n: i32, value: f32, y: usize): void {
  fill<f32>(n, value, y);
}

export function f32_sumSquares(n: i32, x: usize): f64 {
  return sumSquares<f32>(n, x);
}

export function f32_norm(n: i32, x: usize, y: usize): void {
  norm<f32>(n, x, y);
}

export function f32_limitNorm(n: i32, x: usize, norm: usize, limit: f64, y: usize): void {
  limitNorm<f32>(n, x, norm, limit, y);
}

export function f32_firstNonFinite(n: i32, x: usize): i32 {
  return firstNonFinite<f32>(n, x);
}

export function f64_scatterAdd(n: i32, inner: i32, g: usize, indices: usize, y: usize): void {
  scatterAdd<f64>(n, inner, g, indices, y);
}

export function f64_oneHot(n: i32, depth: i32, indices: usize, y: usize): void {
  oneHot<f64>(n, depth, indices, y);
}

export function f64_fill(n: i32, value: f64, y: usize): void {
  fill<f64>(n, value, y);
}

export function f64_sumSquares(n: i32, x: usize): f64 {
  return sumSquares<f64>(n, x);
}

export function f64_norm(n: i32, x: usize, y: usize): void {
  norm<f64>(n, x, y);
}

export function f64_limitNorm(n: i32, x: usize, norm: usize, limit: f64, y: usize): void {
  limitNorm<f64>(n, x, norm, limit, y);
}

export function f64_firstNonFinite(n: i32, x: usize): i32 {
  return firstNonFinite<f64>(n, x);
}

export function f32_addTo(
  rows: i32, cols: i32, x: usize, xRow: i32, xCol: i32, y: usize, yRow: i32, yCol: i32,
): void {
  addTo<f32>(rows, cols, x, xRow, xCol, y, yRow, yCol);
}

export function f64_addTo(
  rows: i32, cols: i32, x: usize, xRow: i32, xCol: i32, y: usize, yRow: i32, yCol: i32,
): void {
  addTo<f64>(rows, cols, x, xRow, xCol, y, yRow, yCol);
}
