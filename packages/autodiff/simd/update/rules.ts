// One update of a parameter for the elements from byte `at` to byte `end`. Every operation rounds: the bits are those of
// one vector kernel after the other.
import { lanes, loadNext, storeNext } from "../vector";

/** Elements from byte `at` to byte `end`. */
// @ts-ignore: decorator
@inline
function left<T>(at: usize, end: usize): i32 {
  return <i32>((end - at) / sizeof<T>());
}

/** `g`, or `decay w + g`. */
// @ts-ignore: decorator
@inline
function decayed<T>(w: v128, g: v128, decay: T): v128 {
  return decay == <T>0 ? g : v128.add<T>(v128.mul<T>(w, v128.splat<T>(decay)), g);
}

/** `alpha x + y`. */
// @ts-ignore: decorator
@inline
function scaledSum<T>(x: v128, alpha: T, y: v128): v128 {
  return v128.add<T>(v128.mul<T>(x, v128.splat<T>(alpha)), y);
}

/** `beta average + rest x`. */
// @ts-ignore: decorator
@inline
function tracked<T>(average: v128, beta: T, x: v128, rest: T): v128 {
  return scaledSum<T>(average, beta, v128.mul<T>(x, v128.splat<T>(rest)));
}

export function sgd<T, W>(
  at: usize, end: usize, w: usize, g: usize, momentum: usize, decay: T, beta: T, rest: T,
  nesterov: bool, step: T, next: usize,
): void {
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const weight = loadNext<T, W>(w + at, n);
    const gradient = decayed<T>(weight, loadNext<T, W>(g + at, n), decay);
    let direction = gradient;
    if (beta != <T>0) {
      const moved = tracked<T>(loadNext<T, W>(momentum + at, n), beta, gradient, rest);
      storeNext<T, W>(momentum + at, moved, n);
      direction = nesterov ? scaledSum<T>(moved, beta, gradient) : moved;
    }
    storeNext<T, W>(next + at, scaledSum<T>(direction, step, weight), n);
  }
}

export function adam<T, W>(
  at: usize, end: usize, w: usize, g: usize, m: usize, v: usize, largest: usize, decay: T,
  shrink: T, beta1: T, rest1: T, beta2: T, rest2: T, amsgrad: bool, correction: T, epsilon: T,
  step: T, next: usize,
): void {
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const weight = loadNext<T, W>(w + at, n);
    const gradient = decayed<T>(weight, loadNext<T, W>(g + at, n), decay);
    const first = tracked<T>(loadNext<T, W>(m + at, n), beta1, gradient, rest1);
    const square = v128.mul<T>(gradient, gradient);
    let second = tracked<T>(loadNext<T, W>(v + at, n), beta2, square, rest2);
    storeNext<T, W>(m + at, first, n);
    storeNext<T, W>(v + at, second, n);
    if (amsgrad) {
      second = v128.max<T>(loadNext<T, W>(largest + at, n), second);
      storeNext<T, W>(largest + at, second, n);
    }
    const root = v128.mul<T>(v128.sqrt<T>(second), v128.splat<T>(correction));
    const quotient = v128.div<T>(first, v128.add<T>(root, v128.splat<T>(epsilon)));
    const kept = v128.mul<T>(weight, v128.splat<T>(shrink));
    storeNext<T, W>(next + at, v128.add<T>(kept, v128.mul<T>(quotient, v128.splat<T>(step))), n);
  }
}

export function rmsprop<T, W>(
  at: usize, end: usize, w: usize, g: usize, square: usize, mean: usize, momentum: usize,
  decay: T, smoothing: T, rest: T, centered: bool, epsilon: T, beta: T, step: T, next: usize,
): void {
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const weight = loadNext<T, W>(w + at, n);
    const gradient = decayed<T>(weight, loadNext<T, W>(g + at, n), decay);
    const squared = v128.mul<T>(gradient, gradient);
    let spread = tracked<T>(loadNext<T, W>(square + at, n), smoothing, squared, rest);
    storeNext<T, W>(square + at, spread, n);
    if (centered) {
      const average = tracked<T>(loadNext<T, W>(mean + at, n), smoothing, gradient, rest);
      storeNext<T, W>(mean + at, average, n);
      spread = v128.sub<T>(spread, v128.mul<T>(average, average));
    }
    const root = v128.add<T>(v128.sqrt<T>(spread), v128.splat<T>(epsilon));
    let direction = v128.div<T>(gradient, root);
    if (beta != <T>0) {
      direction = scaledSum<T>(loadNext<T, W>(momentum + at, n), beta, direction);
      storeNext<T, W>(momentum + at, direction, n);
    }
    storeNext<T, W>(next + at, scaledSum<T>(direction, step, weight), n);
  }
}

export function adagrad<T, W>(
  at: usize, end: usize, w: usize, g: usize, sum: usize, decay: T, epsilon: T, step: T,
  next: usize,
): void {
  for (; at < end; at += 16) {
    const n = left<T>(at, end);
    const weight = loadNext<T, W>(w + at, n);
    const gradient = decayed<T>(weight, loadNext<T, W>(g + at, n), decay);
    const total = v128.add<T>(loadNext<T, W>(sum + at, n), v128.mul<T>(gradient, gradient));
    storeNext<T, W>(sum + at, total, n);
    const root = v128.add<T>(v128.sqrt<T>(total), v128.splat<T>(epsilon));
    storeNext<T, W>(next + at, scaledSum<T>(v128.div<T>(gradient, root), step, weight), n);
  }
}

/** Bytes of whole vectors among `n` elements. */
// @ts-ignore: decorator
@inline
export function wholeBytes<T>(n: i32): usize {
  return <usize>(n / lanes<T>()) * 16;
}
