import { adagrad, adam, rmsprop, sgd } from "./update/rules";

export function f32_sgd(
  n: i32, w: usize, g: usize, momentum: usize, t: usize, rate: usize, factor: f64, decay: f64,
  beta: f64, dampening: f64, nesterov: bool, update: usize,
): void {
  sgd<f32>(n, w, g, momentum, t, rate, factor, decay, beta, dampening, nesterov, update);
}

export function f32_adam(
  n: i32, w: usize, g: usize, m: usize, rms: usize, largest: usize, t: usize, rate: usize,
  factor: f64, decay: f64, drift: f64, beta1: f64, beta2: f64, amsgrad: bool, epsilon: f64,
  update: usize,
): void {
  adam<f32>(n, w, g, m, rms, largest, t, rate, factor, decay, drift, beta1, beta2, amsgrad, epsilon,
    update);
}

export function f32_rmsprop(
  n: i32, w: usize, g: usize, rms: usize, mean: usize, momentum: usize, rate: usize, factor: f64,
  decay: f64, smoothing: f64, centered: bool, epsilon: f64, beta: f64, update: usize,
): void {
  rmsprop<f32>(n, w, g, rms, mean, momentum, rate, factor, decay, smoothing, centered, epsilon, beta,
    update);
}

export function f32_adagrad(
  n: i32, w: usize, g: usize, sum: usize, t: usize, rate: usize, factor: f64, decay: f64,
  rateDecay: f64, epsilon: f64, update: usize,
): void {
  adagrad<f32>(n, w, g, sum, t, rate, factor, decay, rateDecay, epsilon, update);
}

export function f64_sgd(
  n: i32, w: usize, g: usize, momentum: usize, t: usize, rate: usize, factor: f64, decay: f64,
  beta: f64, dampening: f64, nesterov: bool, update: usize,
): void {
  sgd<f64>(n, w, g, momentum, t, rate, factor, decay, beta, dampening, nesterov, update);
}

export function f64_adam(
  n: i32, w: usize, g: usize, m: usize, rms: usize, largest: usize, t: usize, rate: usize,
  factor: f64, decay: f64, drift: f64, beta1: f64, beta2: f64, amsgrad: bool, epsilon: f64,
  update: usize,
): void {
  adam<f64>(n, w, g, m, rms, largest, t, rate, factor, decay, drift, beta1, beta2, amsgrad, epsilon,
    update);
}

export function f64_rmsprop(
  n: i32, w: usize, g: usize, rms: usize, mean: usize, momentum: usize, rate: usize, factor: f64,
  decay: f64, smoothing: f64, centered: bool, epsilon: f64, beta: f64, update: usize,
): void {
  rmsprop<f64>(n, w, g, rms, mean, momentum, rate, factor, decay, smoothing, centered, epsilon, beta,
    update);
}

export function f64_adagrad(
  n: i32, w: usize, g: usize, sum: usize, t: usize, rate: usize, factor: f64, decay: f64,
  rateDecay: f64, epsilon: f64, update: usize,
): void {
  adagrad<f64>(n, w, g, sum, t, rate, factor, decay, rateDecay, epsilon, update);
}
