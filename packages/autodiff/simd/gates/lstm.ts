// The gates of a row stand in blocks of `hidden` columns: i, f, g, o. All gates here are activated.
import { Sigmoid, Tanh } from "../math/unary-functions";
import { constant } from "../math/table";
import { deliver, lanes, loadNext, storeNext } from "../vector";

// @ts-ignore: decorator
@inline
function map<T, W, F>(n: i32, x: usize, y: usize): void {
  const f = changetype<F>(0);
  for (; n > 0; n -= lanes<T>()) {
    storeNext<T, W>(y, f.of<T>(loadNext<T, W>(x, n)), n);
    x += 16;
    y += 16;
  }
}

export function lstmGates<T, W>(rows: i32, hidden: i32, x: usize, y: usize): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    map<T, W, Sigmoid>(2 * hidden, x, y);
    map<T, W, Tanh>(hidden, x + 2 * block, y + 2 * block);
    map<T, W, Sigmoid>(hidden, x + 3 * block, y + 3 * block);
    x += 4 * block;
    y += 4 * block;
  }
}

/** `g (y - y^2)`. */
// @ts-ignore: decorator
@inline
export function sigmoidVjp<T>(y: v128, g: v128): v128 {
  return v128.mul<T>(g, v128.sub<T>(y, v128.mul<T>(y, y)));
}

/** `g (1 - y^2)`. */
// @ts-ignore: decorator
@inline
export function tanhVjp<T>(y: v128, g: v128): v128 {
  return v128.mul<T>(g, v128.sub<T>(v128.splat<T>(<T>1), v128.mul<T>(y, y)));
}

// @ts-ignore: decorator
@inline
function slopes<T, W>(
  n: i32, y: usize, g: usize, accumulate: bool, dx: usize, isTanh: bool,
): void {
  for (; n > 0; n -= lanes<T>()) {
    const value = loadNext<T, W>(y, n);
    const cotangent = loadNext<T, W>(g, n);
    const slope = isTanh ? tanhVjp<T>(value, cotangent) : sigmoidVjp<T>(value, cotangent);
    deliver<T, W>(dx, slope, n, accumulate);
    y += 16;
    g += 16;
    dx += 16;
  }
}

export function lstmGatesVjp<T, W>(
  rows: i32, hidden: i32, y: usize, g: usize, accumulate: bool, dx: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    slopes<T, W>(2 * hidden, y, g, accumulate, dx, false);
    slopes<T, W>(hidden, y + 2 * block, g + 2 * block, accumulate, dx + 2 * block, true);
    slopes<T, W>(hidden, y + 3 * block, g + 3 * block, accumulate, dx + 3 * block, false);
    y += 4 * block;
    g += 4 * block;
    dx += 4 * block;
  }
}

/** `f c + i g`. */
export function lstmCellState<T, W>(rows: i32, hidden: i32, gates: usize, c: usize, y: usize): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const kept = v128.mul<T>(loadNext<T, W>(gates + block + at, n), loadNext<T, W>(c + at, n));
      const gained = v128.mul<T>(
        loadNext<T, W>(gates + at, n), loadNext<T, W>(gates + 2 * block + at, n),
      );
      storeNext<T, W>(y + at, v128.add<T>(kept, gained), n);
    }
    gates += 4 * block;
    c += block;
    y += block;
  }
}

export function lstmCellStateVjpGates<T, W>(
  rows: i32, hidden: i32, gates: usize, c: usize, g: usize, accumulate: bool, dx: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const cotangent = loadNext<T, W>(g + at, n);
      const i = loadNext<T, W>(gates + at, n);
      const candidate = loadNext<T, W>(gates + 2 * block + at, n);
      const to = dx + at;
      deliver<T, W>(to, v128.mul<T>(cotangent, candidate), n, accumulate);
      deliver<T, W>(to + block, v128.mul<T>(cotangent, loadNext<T, W>(c + at, n)), n, accumulate);
      deliver<T, W>(to + 2 * block, v128.mul<T>(cotangent, i), n, accumulate);
    }
    if (!accumulate) memory.fill(dx + 3 * block, 0, block);
    gates += 4 * block;
    c += block;
    g += block;
    dx += 4 * block;
  }
}

export function lstmCellStateVjpC<T, W>(
  rows: i32, hidden: i32, gates: usize, g: usize, accumulate: bool, dc: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    const f = gates + block;
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const product = v128.mul<T>(loadNext<T, W>(g + at, n), loadNext<T, W>(f + at, n));
      deliver<T, W>(dc + at, product, n, accumulate);
    }
    gates += 4 * block;
    g += block;
    dc += block;
  }
}

/** `o tanh(c)`. */
export function lstmOutput<T, W>(rows: i32, hidden: i32, gates: usize, c: usize, y: usize): void {
  const block = <usize>hidden * sizeof<T>();
  const tanh = changetype<Tanh>(0);
  for (; rows > 0; rows--) {
    const o = gates + 3 * block;
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const t = tanh.of<T>(loadNext<T, W>(c + at, n));
      storeNext<T, W>(y + at, v128.mul<T>(loadNext<T, W>(o + at, n), t), n);
    }
    gates += 4 * block;
    c += block;
    y += block;
  }
}

/** Above this size of o, `o tanh(c)` is far from the subnormal numbers unless `c` is nearly one itself. */
const ample_f64 = memory.data<f64>([1e-200]);
const ample_f32 = memory.data<f32>([1e-20]);

/** `tanh(c)`, as `y / o` where the product `y = o tanh(c)` kept all its digits: a division costs a fraction. */
// @ts-ignore: decorator
@inline
function tanhOf<T>(o: v128, c: v128, y: v128): v128 {
  const ample = sizeof<T>() == 4 ? constant<f32>(ample_f32) : constant<f64>(ample_f64);
  const size = v128.abs<T>(y);
  // Less than o: neither 0 nor infinite.
  const clear = v128.and(v128.ge<T>(size, ample), v128.lt<T>(size, v128.abs<T>(o)));
  const quotient = v128.div<T>(y, o);
  if (sizeof<T>() == 4 ? i32x4.all_true(clear) : i64x2.all_true(clear)) return quotient;
  return v128.bitselect(quotient, changetype<Tanh>(0).of<T>(c), clear);
}

export function lstmOutputVjpGates<T, W>(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize, g: usize, accumulate: bool, dx: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    const o = gates + 3 * block;
    const to = dx + 3 * block;
    if (!accumulate) memory.fill(dx, 0, 3 * block);
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const t = tanhOf<T>(
        loadNext<T, W>(o + at, n), loadNext<T, W>(c + at, n), loadNext<T, W>(y + at, n),
      );
      deliver<T, W>(to + at, v128.mul<T>(loadNext<T, W>(g + at, n), t), n, accumulate);
    }
    gates += 4 * block;
    c += block;
    y += block;
    g += block;
    dx += 4 * block;
  }
}

export function lstmOutputVjpC<T, W>(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize, g: usize, accumulate: bool, dc: usize,
): void {
  const block = <usize>hidden * sizeof<T>();
  for (; rows > 0; rows--) {
    const from = gates + 3 * block;
    for (let at: usize = 0, n = hidden; n > 0; at += 16, n -= lanes<T>()) {
      const o = loadNext<T, W>(from + at, n);
      const t = tanhOf<T>(o, loadNext<T, W>(c + at, n), loadNext<T, W>(y + at, n));
      const slope = tanhVjp<T>(t, v128.mul<T>(loadNext<T, W>(g + at, n), o));
      deliver<T, W>(dc + at, slope, n, accumulate);
    }
    gates += 4 * block;
    c += block;
    y += block;
    g += block;
    dc += block;
  }
}
