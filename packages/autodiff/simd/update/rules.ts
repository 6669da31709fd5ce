// One update of a parameter for the elements from byte `at` to byte `end`. Every operation rounds:
// the bits are those of one vector kernel after the other.
import { pow_f64x2 } from "../math/power";
import { lanes, loadNext, Ragged, storeNext, Whole } from "../vector";
import {
  greatest, lowest, positive, root, safe, scaledRoot, scaledSum, squares, tracked,
} from "./root";

/** `g`, or `decay w + g`. */
// @ts-ignore: decorator
@inline
function decayed<T>(w: v128, g: v128, decay: T): v128 {
  return decay == <T>0 ? g : scaledSum<T>(w, decay, g);
}

/** The rate: `factor`, times the number at `rate` if there is one. */
// @ts-ignore: decorator
@inline
function rateOf(rate: usize, factor: f64): f64 {
  return rate == 0 ? factor : factor * load<f64>(rate);
}

/** `1 - beta^t`. */
// @ts-ignore: decorator
@inline
function correctionOf(beta: f64, t: usize): f64 {
  const power = pow_f64x2(f64x2.splat(beta), f64x2.splat(<f64>load<i32>(t)));
  return 1 - f64x2.extract_lane(power, 0);
}

// @ts-ignore: decorator
@inline
function wholeBytes<T>(n: i32): usize {
  return <usize>(n / lanes<T>()) * 16;
}

/** Elements from byte `at` to byte `end`. */
// @ts-ignore: decorator
@inline
function left<T>(at: usize, end: usize): i32 {
  return <i32>((end - at) / sizeof<T>());
}

// @ts-ignore: decorator
@inline
function sgdPart<T, W>(
  at: usize, end: usize, w: usize, g: usize, momentum: usize, decay: T, beta: T, rest: T,
  nesterov: bool, step: T, update: usize,
): void {
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const gradient = decayed<T>(loadNext<T, W>(w + at, n), loadNext<T, W>(g + at, n), decay);
    let direction = gradient;
    if (beta != <T>0) {
      const moved = tracked<T>(loadNext<T, W>(momentum + at, n), beta, gradient, rest);
      storeNext<T, W>(momentum + at, moved, n);
      direction = nesterov ? scaledSum<T>(moved, beta, gradient) : moved;
    }
    storeNext<T, W>(update + at, v128.mul<T>(direction, v128.splat<T>(step)), n);
  }
}

export function sgd<T>(
  n: i32, w: usize, g: usize, momentum: usize, t: usize, rate: usize, factor: f64, decay: f64,
  beta: f64, dampening: f64, nesterov: bool, update: usize,
): void {
  const rest = <T>(load<i32>(t) == 1 ? 1 : 1 - dampening);
  const step = <T>(-rateOf(rate, factor));
  const whole = wholeBytes<T>(n);
  sgdPart<T, Whole>(0, whole, w, g, momentum, <T>decay, <T>beta, rest, nesterov, step, update);
  sgdPart<T, Ragged>(whole, <usize>n * sizeof<T>(), w, g, momentum, <T>decay, <T>beta, rest,
    nesterov, step, update);
}

// @ts-ignore: decorator
@inline
function adamStep<T, W>(
  at: usize, n: i32, w: usize, gradient: v128, size: v128, m: usize, rms: usize,
  largest: usize, drift: T, beta1: T, rest1: T, amsgrad: bool, correction: T, epsilon: T, step: T,
  update: usize,
): void {
  const first = tracked<T>(loadNext<T, W>(m + at, n), beta1, gradient, rest1);
  storeNext<T, W>(m + at, first, n);
  storeNext<T, W>(rms + at, size, n);
  if (amsgrad) {
    size = v128.pmax<T>(size, loadNext<T, W>(largest + at, n));
    storeNext<T, W>(largest + at, size, n);
  }
  const corrected = v128.mul<T>(size, v128.splat<T>(correction));
  const quotient = v128.div<T>(first, v128.add<T>(corrected, v128.splat<T>(epsilon)));
  let moved = v128.mul<T>(quotient, v128.splat<T>(step));
  if (drift != <T>0) moved = scaledSum<T>(loadNext<T, W>(w + at, n), drift, moved);
  storeNext<T, W>(update + at, moved, n);
}

// @ts-ignore: decorator
@inline
function gradientAt<T, W>(at: usize, n: i32, w: usize, g: usize, decay: T): v128 {
  const gradient = loadNext<T, W>(g + at, n);
  return decay == <T>0 ? gradient : decayed<T>(loadNext<T, W>(w + at, n), gradient, decay);
}

export function adam<T>(
  n: i32, w: usize, g: usize, m: usize, rms: usize, largest: usize, t: usize, rate: usize,
  factor: f64, decay: f64, drift: f64, beta1: f64, beta2: f64, amsgrad: bool, epsilon: f64,
  update: usize,
): void {
  const speed = rateOf(rate, factor);
  const correction = <T>(1 / Math.sqrt(correctionOf(beta2, t)));
  const step = <T>(-speed / correctionOf(beta1, t));
  const pull = <T>(-speed * drift);
  const eps = positive<T>(epsilon);
  const low = lowest<T>(eps);
  // An average of squares is at most the largest one times 1 - beta2^t: what is corrected does not
  // overflow.
  const top = <T>(1 - 4 * (sizeof<T>() == 4 ? f32.EPSILON : f64.EPSILON)) * greatest<T>() / correction;
  const b1 = <T>beta1;
  const r1 = <T>(1 - beta1);
  const b2 = <T>beta2;
  const r2 = <T>(1 - beta2);
  const end = <usize>n * sizeof<T>();
  const d = <T>decay;
  let at: usize = 0;
  // Four vectors at a time, so that they share the look at their sizes.
  for (; at + 64 <= end; at += 64) {
    const g0 = gradientAt<T, Whole>(at, 0, w, g, d);
    const g1 = gradientAt<T, Whole>(at + 16, 0, w, g, d);
    const g2 = gradientAt<T, Whole>(at + 32, 0, w, g, d);
    const g3 = gradientAt<T, Whole>(at + 48, 0, w, g, d);
    const v0 = v128.load(rms + at);
    const v1 = v128.load(rms + at, 16);
    const v2 = v128.load(rms + at, 32);
    const v3 = v128.load(rms + at, 48);
    let s0 = squares<T>(v0, b2, g0, r2);
    let s1 = squares<T>(v1, b2, g1, r2);
    let s2 = squares<T>(v2, b2, g2, r2);
    let s3 = squares<T>(v3, b2, g3, r2);
    const least = v128.pmin<T>(v128.pmin<T>(s0, s1), v128.pmin<T>(s2, s3));
    const most = v128.pmax<T>(v128.pmax<T>(s0, s1), v128.pmax<T>(s2, s3));
    if (i8x16.all_true(safe<T>(least, most, low))) {
      s0 = v128.sqrt<T>(s0);
      s1 = v128.sqrt<T>(s1);
      s2 = v128.sqrt<T>(s2);
      s3 = v128.sqrt<T>(s3);
    } else {
      s0 = scaledRoot<T>(v0, b2, g0, r2, low, top);
      s1 = scaledRoot<T>(v1, b2, g1, r2, low, top);
      s2 = scaledRoot<T>(v2, b2, g2, r2, low, top);
      s3 = scaledRoot<T>(v3, b2, g3, r2, low, top);
    }
    adamStep<T, Whole>(at, 0, w, g0, s0, m, rms, largest, pull, b1, r1, amsgrad,
      correction, eps, step, update);
    adamStep<T, Whole>(at + 16, 0, w, g1, s1, m, rms, largest, pull, b1, r1,
      amsgrad, correction, eps, step, update);
    adamStep<T, Whole>(at + 32, 0, w, g2, s2, m, rms, largest, pull, b1, r1,
      amsgrad, correction, eps, step, update);
    adamStep<T, Whole>(at + 48, 0, w, g3, s3, m, rms, largest, pull, b1, r1,
      amsgrad, correction, eps, step, update);
  }
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const gradient = gradientAt<T, Ragged>(at, n, w, g, d);
    const size = root<T>(loadNext<T, Ragged>(rms + at, n), b2, gradient, r2, low, top);
    adamStep<T, Ragged>(at, n, w, gradient, size, m, rms, largest,
      pull, b1, r1, amsgrad, correction, eps, step, update);
  }
}

// @ts-ignore: decorator
@inline
function rmspropPart<T, W>(
  at: usize, end: usize, w: usize, g: usize, rms: usize, mean: usize, momentum: usize, decay: T,
  smoothing: T, rest: T, spread: T, centered: bool, epsilon: T, beta: T, step: T, update: usize,
): void {
  const low = lowest<T>(epsilon);
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const gradient = decayed<T>(loadNext<T, W>(w + at, n), loadNext<T, W>(g + at, n), decay);
    let size = loadNext<T, W>(rms + at, n);
    if (centered) {
      const average = loadNext<T, W>(mean + at, n);
      const half = v128.splat<T>(<T>0.5);
      const error = v128.sub<T>(v128.mul<T>(gradient, half), v128.mul<T>(average, half));
      size = root<T>(size, smoothing, error, spread, low, greatest<T>());
      storeNext<T, W>(mean + at, tracked<T>(average, smoothing, gradient, rest), n);
    } else size = root<T>(size, smoothing, gradient, rest, low, greatest<T>());
    storeNext<T, W>(rms + at, size, n);
    let direction = v128.div<T>(gradient, v128.add<T>(size, v128.splat<T>(epsilon)));
    if (beta != <T>0) {
      direction = scaledSum<T>(loadNext<T, W>(momentum + at, n), beta, direction);
      storeNext<T, W>(momentum + at, direction, n);
    }
    storeNext<T, W>(update + at, v128.mul<T>(direction, v128.splat<T>(step)), n);
  }
}

export function rmsprop<T>(
  n: i32, w: usize, g: usize, rms: usize, mean: usize, momentum: usize, rate: usize, factor: f64,
  decay: f64, smoothing: f64, centered: bool, epsilon: f64, beta: f64, update: usize,
): void {
  const step = <T>(-rateOf(rate, factor));
  const rest = <T>(1 - smoothing);
  // Of half the error.
  const spread = <T>(4 * smoothing * (1 - smoothing));
  const eps = positive<T>(epsilon);
  const whole = wholeBytes<T>(n);
  rmspropPart<T, Whole>(0, whole, w, g, rms, mean, momentum, <T>decay, <T>smoothing, rest, spread,
    centered, eps, <T>beta, step, update);
  rmspropPart<T, Ragged>(whole, <usize>n * sizeof<T>(), w, g, rms, mean, momentum, <T>decay,
    <T>smoothing, rest, spread, centered, eps, <T>beta, step, update);
}

// @ts-ignore: decorator
@inline
function adagradPart<T, W>(
  at: usize, end: usize, w: usize, g: usize, sum: usize, decay: T, epsilon: T, step: T,
  update: usize,
): void {
  const low = lowest<T>(epsilon);
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const gradient = decayed<T>(loadNext<T, W>(w + at, n), loadNext<T, W>(g + at, n), decay);
    const size = root<T>(loadNext<T, W>(sum + at, n), <T>1, gradient, <T>1, low, greatest<T>());
    storeNext<T, W>(sum + at, size, n);
    const direction = v128.div<T>(gradient, v128.add<T>(size, v128.splat<T>(epsilon)));
    storeNext<T, W>(update + at, v128.mul<T>(direction, v128.splat<T>(step)), n);
  }
}

export function adagrad<T>(
  n: i32, w: usize, g: usize, sum: usize, t: usize, rate: usize, factor: f64, decay: f64,
  rateDecay: f64, epsilon: f64, update: usize,
): void {
  const step = <T>(-rateOf(rate, factor) / (1 + <f64>(load<i32>(t) - 1) * rateDecay));
  const eps = positive<T>(epsilon);
  const whole = wholeBytes<T>(n);
  adagradPart<T, Whole>(0, whole, w, g, sum, <T>decay, eps, step, update);
  adagradPart<T, Ragged>(whole, <usize>n * sizeof<T>(), w, g, sum, <T>decay, eps, step, update);
}
