import { maximumPositions, minimumPositions } from "./reduce/argument";
import { logSumExp } from "./reduce/exponential";
import { maxima, minima } from "./reduce/extreme";
import { addRows, sum } from "./reduce/sum";

export function f32_sum(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  sum<f32>(outer, length, inner, x, y);
}

export function f32_max(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  maxima<f32>(outer, length, inner, x, y);
}

export function f32_min(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  minima<f32>(outer, length, inner, x, y);
}

export function f32_logSumExp(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  logSumExp<f32>(outer, length, inner, x, y);
}

export function f32_argmax(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  maximumPositions<f32>(outer, length, inner, x, y);
}

export function f32_argmin(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  minimumPositions<f32>(outer, length, inner, x, y);
}

export function f64_sum(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  sum<f64>(outer, length, inner, x, y);
}

export function f64_max(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  maxima<f64>(outer, length, inner, x, y);
}

export function f64_min(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  minima<f64>(outer, length, inner, x, y);
}

export function f64_logSumExp(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  logSumExp<f64>(outer, length, inner, x, y);
}

export function f64_argmax(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  maximumPositions<f64>(outer, length, inner, x, y);
}

export function f64_argmin(outer: i32, length: i32, inner: i32, x: usize, y: usize): void {
  minimumPositions<f64>(outer, length, inner, x, y);
}

export function f32_addRows(rows: i32, cols: i32, x: usize, y: usize): void {
  addRows<f32>(rows, cols, x, y);
}

export function f64_addRows(rows: i32, cols: i32, x: usize, y: usize): void {
  addRows<f64>(rows, cols, x, y);
}
