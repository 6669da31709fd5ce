import { adagrad, adam, rmsprop, sgd, wholeBytes } from "./update/rules";
import { Ragged, Whole } from "./vector";

export function f32_sgd(
  n: i32, w: usize, g: usize, momentum: usize, decay: f32, beta: f32, rest: f32, nesterov: bool,
  step: f32, next: usize,
): void {
  const whole = wholeBytes<f32>(n);
  sgd<f32, Whole>(0, whole, w, g, momentum, decay, beta, rest, nesterov, step, next);
  sgd<f32, Ragged>(whole, <usize>n * sizeof<f32>(), w, g, momentum, decay, beta, rest, nesterov,
    step, next);
}

export function f32_adam(
  n: i32, w: usize, g: usize, m: usize, v: usize, largest: usize, decay: f32, shrink: f32, beta1:
  f32, rest1: f32, beta2: f32, rest2: f32, amsgrad: bool, correction: f32, epsilon: f32, step:
  f32, next: usize,
): void {
  const whole = wholeBytes<f32>(n);
  adam<f32, Whole>(0, whole, w, g, m, v, largest, decay, shrink, beta1, rest1, beta2, rest2,
    amsgrad, correction, epsilon, step, next);
  adam<f32, Ragged>(whole, <usize>n * sizeof<f32>(), w, g, m, v, largest, decay, shrink, beta1,
    rest1, beta2, rest2, amsgrad, correction, epsilon, step, next);
}

export function f32_rmsprop(
  n: i32, w: usize, g: usize, square: usize, mean: usize, momentum: usize, decay: f32, smoothing:
  f32, rest: f32, centered: bool, epsilon: f32, beta: f32, step: f32, next: usize,
): void {
  const whole = wholeBytes<f32>(n);
  rmsprop<f32, Whole>(0, whole, w, g, square, mean, momentum, decay, smoothing, rest, centered,
    epsilon, beta, step, next);
  rmsprop<f32, Ragged>(whole, <usize>n * sizeof<f32>(), w, g, square, mean, momentum, decay,
    smoothing, rest, centered, epsilon, beta, step, next);
}

export function f32_adagrad(
  n: i32, w: usize, g: usize, sum: usize, decay: f32, epsilon: f32, step: f32, next: usize,
): void {
  const whole = wholeBytes<f32>(n);
  adagrad<f32, Whole>(0, whole, w, g, sum, decay, epsilon, step, next);
  adagrad<f32, Ragged>(whole, <usize>n * sizeof<f32>(), w, g, sum, decay, epsilon, step, next);
}

export function f64_sgd(
  n: i32, w: usize, g: usize, momentum: usize, decay: f64, beta: f64, rest: f64, nesterov: bool,
  step: f64, next: usize,
): void {
  const whole = wholeBytes<f64>(n);
  sgd<f64, Whole>(0, whole, w, g, momentum, decay, beta, rest, nesterov, step, next);
  sgd<f64, Ragged>(whole, <usize>n * sizeof<f64>(), w, g, momentum, decay, beta, rest, nesterov,
    step, next);
}

export function f64_adam(
  n: i32, w: usize, g: usize, m: usize, v: usize, largest: usize, decay: f64, shrink: f64, beta1:
  f64, rest1: f64, beta2: f64, rest2: f64, amsgrad: bool, correction: f64, epsilon: f64, step:
  f64, next: usize,
): void {
  const whole = wholeBytes<f64>(n);
  adam<f64, Whole>(0, whole, w, g, m, v, largest, decay, shrink, beta1, rest1, beta2, rest2,
    amsgrad, correction, epsilon, step, next);
  adam<f64, Ragged>(whole, <usize>n * sizeof<f64>(), w, g, m, v, largest, decay, shrink, beta1,
    rest1, beta2, rest2, amsgrad, correction, epsilon, step, next);
}

export function f64_rmsprop(
  n: i32, w: usize, g: usize, square: usize, mean: usize, momentum: usize, decay: f64, smoothing:
  f64, rest: f64, centered: bool, epsilon: f64, beta: f64, step: f64, next: usize,
): void {
  const whole = wholeBytes<f64>(n);
  rmsprop<f64, Whole>(0, whole, w, g, square, mean, momentum, decay, smoothing, rest, centered,
    epsilon, beta, step, next);
  rmsprop<f64, Ragged>(whole, <usize>n * sizeof<f64>(), w, g, square, mean, momentum, decay,
    smoothing, rest, centered, epsilon, beta, step, next);
}

export function f64_adagrad(
  n: i32, w: usize, g: usize, sum: usize, decay: f64, epsilon: f64, step: f64, next: usize,
): void {
  const whole = wholeBytes<f64>(n);
  adagrad<f64, Whole>(0, whole, w, g, sum, decay, epsilon, step, next);
  adagrad<f64, Ragged>(whole, <usize>n * sizeof<f64>(), w, g, sum, decay, epsilon, step, next);
}
