// Ba, Kiros & Hinton 2016: d = x - mean, s = 1/sqrt(mean of d^2 + epsilon), y = d s gain + bias.
import { normRoom } from "../room";
import {
  addLanes, lanes, loadNext, narrow, Ragged, storeNext, widenHigh, widenLow,
} from "../vector";

/** Columns whose float64 totals are kept at a time. */
const columnsAtOnce: i32 = 512;

function meanOf<T>(n: i32, x: usize): f64 {
  const count = <f64>n;
  let low = f64x2.splat(0);
  let high = low;
  for (; n > 0; n -= lanes<T>()) {
    const value = loadNext<T, Ragged>(x, n);
    low = f64x2.add(low, widenLow<T>(value));
    if (sizeof<T>() == 4) high = f64x2.add(high, widenHigh<T>(value));
    x += 16;
  }
  return addLanes(f64x2.add(low, high)) / count;
}

/** `x - mean`, the difference taken in float64. */
// @ts-ignore: decorator
@inline
function centred<T>(x: v128, mean: v128): v128 {
  const low = f64x2.sub(widenLow<T>(x), mean);
  return sizeof<T>() == 8 ? low : narrow<T>(low, f64x2.sub(widenHigh<T>(x), mean));
}

/** `1/sqrt(mean of d^2 + epsilon)`. */
function inverseDeviation<T>(n: i32, x: usize, mean: f64, epsilon: f64): f64 {
  const m = f64x2.splat(mean);
  const count = <f64>n;
  let low = f64x2.splat(0);
  let high = low;
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    const value = v128.load(x);
    const first = f64x2.sub(widenLow<T>(value), m);
    low = f64x2.add(low, f64x2.mul(first, first));
    if (sizeof<T>() == 4) {
      const second = f64x2.sub(widenHigh<T>(value), m);
      high = f64x2.add(high, f64x2.mul(second, second));
    }
    x += 16;
  }
  let sum = addLanes(f64x2.add(low, high));
  for (; n > 0; n--) {
    const d = <f64>load<T>(x) - mean;
    sum += d * d;
    x += sizeof<T>();
  }
  return 1 / sqrt<f64>(sum / count + epsilon);
}

export function layerNorm<T>(
  rows: i32, cols: i32, x: usize, gain: usize, bias: usize, epsilon: T, y: usize,
): void {
  const step = <usize>cols * sizeof<T>();
  for (; rows > 0; rows--) {
    const mean = meanOf<T>(cols, x);
    const m = f64x2.splat(mean);
    const s = v128.splat<T>(<T>inverseDeviation<T>(cols, x, mean, <f64>epsilon));
    for (let at: usize = 0, n = cols; n > 0; at += 16, n -= lanes<T>()) {
      const normal = v128.mul<T>(centred<T>(loadNext<T, Ragged>(x + at, n), m), s);
      const scaled = v128.mul<T>(normal, loadNext<T, Ragged>(gain + at, n));
      storeNext<T, Ragged>(y + at, v128.add<T>(scaled, loadNext<T, Ragged>(bias + at, n)), n);
    }
    x += step;
    y += step;
  }
}

/** With `n = d s` and `k = g gain`: `dx = s (k - mean of k - n (mean of k n))`. */
export function layerNormVjp<T>(
  rows: i32, cols: i32, x: usize, gain: usize, g: usize, epsilon: T, accumulate: bool, dx: usize,
): void {
  const step = <usize>cols * sizeof<T>();
  for (; rows > 0; rows--) {
    const mean = meanOf<T>(cols, x);
    const m = f64x2.splat(mean);
    const s = v128.splat<T>(<T>inverseDeviation<T>(cols, x, mean, <f64>epsilon));
    let low = f64x2.splat(0);
    let high = low;
    let lowProduct = low;
    let highProduct = low;
    for (let at: usize = 0, n = cols; n > 0; at += 16, n -= lanes<T>()) {
      const normal = v128.mul<T>(centred<T>(loadNext<T, Ragged>(x + at, n), m), s);
      const k = v128.mul<T>(loadNext<T, Ragged>(g + at, n), loadNext<T, Ragged>(gain + at, n));
      const product = v128.mul<T>(k, normal);
      low = f64x2.add(low, widenLow<T>(k));
      lowProduct = f64x2.add(lowProduct, widenLow<T>(product));
      if (sizeof<T>() == 4) {
        high = f64x2.add(high, widenHigh<T>(k));
        highProduct = f64x2.add(highProduct, widenHigh<T>(product));
      }
    }
    const count = <f64>cols;
    const average = v128.splat<T>(<T>(addLanes(f64x2.add(low, high)) / count));
    const slope = v128.splat<T>(<T>(addLanes(f64x2.add(lowProduct, highProduct)) / count));
    for (let at: usize = 0, n = cols; n > 0; at += 16, n -= lanes<T>()) {
      const normal = v128.mul<T>(centred<T>(loadNext<T, Ragged>(x + at, n), m), s);
      const k = v128.mul<T>(loadNext<T, Ragged>(g + at, n), loadNext<T, Ragged>(gain + at, n));
      const rest = v128.sub<T>(v128.sub<T>(k, average), v128.mul<T>(normal, slope));
      let value = v128.mul<T>(rest, s);
      if (accumulate) value = v128.add<T>(value, loadNext<T, Ragged>(dx + at, n));
      storeNext<T, Ragged>(dx + at, value, n);
    }
    x += step;
    g += step;
    dx += step;
  }
}

/** Sums over the rows of `g n`, in float64. */
export function layerNormVjpGain<T>(
  rows: i32, cols: i32, x: usize, g: usize, epsilon: T, accumulate: bool, dgain: usize,
): void {
  const step = <usize>cols * sizeof<T>();
  const totals = normRoom();
  for (let first = 0; first < cols; first += columnsAtOnce) {
    const columns = min(columnsAtOnce, cols - first);
    const offset = <usize>first * sizeof<T>();
    memory.fill(totals, 0, <usize>columnsAtOnce * 8);
    let row = x;
    let from = g + offset;
    for (let r = 0; r < rows; r++) {
      const mean = meanOf<T>(cols, row);
      const m = f64x2.splat(mean);
      const s = v128.splat<T>(<T>inverseDeviation<T>(cols, row, mean, <f64>epsilon));
      let to = totals;
      for (let at: usize = 0, n = columns; n > 0; at += 16, n -= lanes<T>()) {
        const normal = v128.mul<T>(centred<T>(loadNext<T, Ragged>(row + offset + at, n), m), s);
        const product = v128.mul<T>(normal, loadNext<T, Ragged>(from + at, n));
        v128.store(to, f64x2.add(v128.load(to), widenLow<T>(product)));
        if (sizeof<T>() == 4) {
          v128.store(to, f64x2.add(v128.load(to, 16), widenHigh<T>(product)), 16);
        }
        to += 8 * lanes<T>();
      }
      row += step;
      from += step;
    }
    for (let i: usize = 0; i < <usize>columns; i++) {
      const total = load<f64>(totals + i * 8);
      const to = dgain + offset + i * sizeof<T>();
      store<T>(to, accumulate ? <T>(<f64>load<T>(to) + total) : <T>total);
    }
  }
}
