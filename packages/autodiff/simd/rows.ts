import { argsort } from "./rows/argsort";
import { cumsum } from "./rows/cumsum";
import { layerNorm, layerNormVjp, layerNormVjpGain } from "./rows/layerNorm";
import { crossEntropy, crossEntropyVjp, logSoftmax, softmax } from "./rows/softmax";

export function f32_softmax(rows: i32, cols: i32, x: usize, y: usize): void {
  softmax<f32>(rows, cols, x, y);
}

export function f32_logSoftmax(rows: i32, cols: i32, x: usize, y: usize): void {
  logSoftmax<f32>(rows, cols, x, y);
}

export function f32_crossEntropy(
  rows: i32, cols: i32, logits: usize, targets: usize, ignoreIndex: i32, losses: usize,
): void {
  crossEntropy<f32>(rows, cols, logits, targets, ignoreIndex, losses);
}

export function f32_crossEntropyVjp(
  rows: i32, cols: i32, logits: usize, targets: usize, ignoreIndex: i32, g: usize, dx: usize,
): void {
  crossEntropyVjp<f32>(rows, cols, logits, targets, ignoreIndex, g, dx);
}

export function f32_cumsum(
  outer: i32, length: i32, inner: i32, reverse: i32, x: usize, y: usize,
): void {
  cumsum<f32>(outer, length, inner, reverse, x, y);
}

export function f64_softmax(rows: i32, cols: i32, x: usize, y: usize): void {
  softmax<f64>(rows, cols, x, y);
}

export function f64_logSoftmax(rows: i32, cols: i32, x: usize, y: usize): void {
  logSoftmax<f64>(rows, cols, x, y);
}

export function f64_crossEntropy(
  rows: i32, cols: i32, logits: usize, targets: usize, ignoreIndex: i32, losses: usize,
): void {
  crossEntropy<f64>(rows, cols, logits, targets, ignoreIndex, losses);
}

export function f64_crossEntropyVjp(
  rows: i32, cols: i32, logits: usize, targets: usize, ignoreIndex: i32, g: usize, dx: usize,
): void {
  crossEntropyVjp<f64>(rows, cols, logits, targets, ignoreIndex, g, dx);
}

export function f64_cumsum(
  outer: i32, length: i32, inner: i32, reverse: i32, x: usize, y: usize,
): void {
  cumsum<f64>(outer, length, inner, reverse, x, y);
}

export function f32_layerNorm(
  rows: i32, cols: i32, x: usize, gain: usize, bias: usize, epsilon: f32, y: usize,
): void {
  layerNorm<f32>(rows, cols, x, gain, bias, epsilon, y);
}

export function f32_layerNormVjp(
  rows: i32, cols: i32, x: usize, gain: usize, g: usize, epsilon: f32, accumulate: bool, dx: usize,
): void {
  layerNormVjp<f32>(rows, cols, x, gain, g, epsilon, accumulate, dx);
}

export function f32_layerNormVjpGain(
  rows: i32, cols: i32, x: usize, g: usize, epsilon: f32, accumulate: bool, dgain: usize,
): void {
  layerNormVjpGain<f32>(rows, cols, x, g, epsilon, accumulate, dgain);
}

export function f64_layerNorm(
  rows: i32, cols: i32, x: usize, gain: usize, bias: usize, epsilon: f64, y: usize,
): void {
  layerNorm<f64>(rows, cols, x, gain, bias, epsilon, y);
}

export function f64_layerNormVjp(
  rows: i32, cols: i32, x: usize, gain: usize, g: usize, epsilon: f64, accumulate: bool, dx: usize,
): void {
  layerNormVjp<f64>(rows, cols, x, gain, g, epsilon, accumulate, dx);
}

export function f64_layerNormVjpGain(
  rows: i32, cols: i32, x: usize, g: usize, epsilon: f64, accumulate: bool, dgain: usize,
): void {
  layerNormVjpGain<f64>(rows, cols, x, g, epsilon, accumulate, dgain);
}

export function f32_argsort(
  rows: i32, cols: i32, descending: i32, x: usize, scratch: usize, y: usize,
): void {
  argsort<f32>(rows, cols, descending, x, scratch, y);
}

export function f64_argsort(
  rows: i32, cols: i32, descending: i32, x: usize, scratch: usize, y: usize,
): void {
  argsort<f64>(rows, cols, descending, x, scratch, y);
}
