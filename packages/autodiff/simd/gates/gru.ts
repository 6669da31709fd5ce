// The gates of a row stand in blocks of `hidden` columns: r, z, n.
import { Sigmoid, Tanh } from "../math/unary-functions";
import {
  deliver, lanes, loadNext, narrow, storeNext, widenHigh, widenLow,
} from "../vector";
import { sigmoidVjp, tanhVjp } from "./lstm";

/** `r = sigmoid(x_r + h_r)`, `z = sigmoid(x_z + h_z)`, `n = tanh(x_n + r (h_n + bias))`. */
export function gruGates<T, W>(
  rows: i32, hidden: i32, x: usize, h: usize, bias: usize, y: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  const sigmoid = changetype<Sigmoid>(0);
  const tanh = changetype<Tanh>(0);
  for (; rows > 0; rows--) {
    for (let at: usize = 0, n = 2 * hidden; n > 0; at += 16, n -= lanes<T>()) {
      const sum = v128.add<T>(loadNext<T, W>(x + at, n), loadNext<T, W>(h + at, n));
      storeNext<T, W>(y + at, sigmoid.of<T>(sum), n);
    }
    const candidate = 2 * block;
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const recurrent = v128.add<T>(loadNext<T, W>(h + candidate + at, n), loadNext<T, W>(bias + at, n));
      const passed = v128.mul<T>(loadNext<T, W>(y + at, n), recurrent);
      const sum = v128.add<T>(loadNext<T, W>(x + candidate + at, n), passed);
      storeNext<T, W>(y + candidate + at, tanh.of<T>(sum), n);
    }
    x += 3 * block;
    h += 3 * block;
    y += 3 * block;
  }
}

/**
 * With `d = g_n (1 - n^2)`: `(g_r + d (h_n + bias)) r'`, `g_z z'`, and `d` on the input's side or
 * `d r` on the state's.
 */
export function gruGatesVjp<T, W>(
  rows: i32, hidden: i32, y: usize, h: usize, bias: usize, g: usize, recurrent: bool,
  accumulate: bool, dx: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const r = loadNext<T, W>(y + at, n);
      const z = loadNext<T, W>(y + block + at, n);
      const candidate = loadNext<T, W>(y + 2 * block + at, n);
      const d = tanhVjp<T>(candidate, loadNext<T, W>(g + 2 * block + at, n));
      const sum = v128.add<T>(loadNext<T, W>(h + 2 * block + at, n), loadNext<T, W>(bias + at, n));
      const byR = v128.add<T>(loadNext<T, W>(g + at, n), v128.mul<T>(d, sum));
      const to = dx + at;
      deliver<T, W>(to, sigmoidVjp<T>(r, byR), n, accumulate);
      deliver<T, W>(to + block, sigmoidVjp<T>(z, loadNext<T, W>(g + block + at, n)), n, accumulate);
      deliver<T, W>(to + 2 * block, recurrent ? v128.mul<T>(d, r) : d, n, accumulate);
    }
    y += 3 * block;
    h += 3 * block;
    g += 3 * block;
    dx += 3 * block;
  }
}

/** Sums over the rows of `g_n (1 - n^2) r`, in float64. */
export function gruGatesVjpBias<T, W>(
  rows: i32, hidden: i32, y: usize, g: usize, accumulate: bool, db: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
    let low = f64x2.splat(0);
    let high = low;
    let from = y + at;
    let cotangent = g + 2 * block + at;
    for (let row = 0; row < rows; row++) {
      const d = tanhVjp<T>(loadNext<T, W>(from + 2 * block, n), loadNext<T, W>(cotangent, n));
      const part = v128.mul<T>(d, loadNext<T, W>(from, n));
      low = f64x2.add(low, widenLow<T>(part));
      if (sizeof<T>() == 4) high = f64x2.add(high, widenHigh<T>(part));
      from += 3 * block;
      cotangent += 3 * block;
    }
    deliver<T, W>(db + at, narrow<T>(low, high), n, accumulate);
  }
}

/** `n + z (h - n)`. */
export function gruOutput<T, W>(rows: i32, hidden: i32, gates: usize, h: usize, y: usize): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const z = loadNext<T, W>(gates + block + at, n);
      const candidate = loadNext<T, W>(gates + 2 * block + at, n);
      const distance = v128.sub<T>(loadNext<T, W>(h + at, n), candidate);
      storeNext<T, W>(y + at, v128.add<T>(candidate, v128.mul<T>(z, distance)), n);
    }
    gates += 3 * block;
    h += block;
    y += block;
  }
}

export function gruOutputVjpGates<T, W>(
  rows: i32, hidden: i32, gates: usize, h: usize, g: usize, accumulate: bool, dx: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    if (!accumulate) memory.fill(dx, 0, block);
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const cotangent = loadNext<T, W>(g + at, n);
      const z = loadNext<T, W>(gates + block + at, n);
      const candidate = loadNext<T, W>(gates + 2 * block + at, n);
      const distance = v128.sub<T>(loadNext<T, W>(h + at, n), candidate);
      const to = dx + at;
      deliver<T, W>(to + block, v128.mul<T>(cotangent, distance), n, accumulate);
      const rest = v128.sub<T>(cotangent, v128.mul<T>(cotangent, z));
      deliver<T, W>(to + 2 * block, rest, n, accumulate);
    }
    gates += 3 * block;
    h += block;
    g += block;
    dx += 3 * block;
  }
}

export function gruOutputVjpH<T, W>(
  rows: i32, hidden: i32, gates: usize, g: usize, accumulate: bool, dh: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    const z = gates + block;
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const product = v128.mul<T>(loadNext<T, W>(g + at, n), loadNext<T, W>(z + at, n));
      deliver<T, W>(dh + at, product, n, accumulate);
    }
    gates += 3 * block;
    g += block;
    dh += block;
  }
}
