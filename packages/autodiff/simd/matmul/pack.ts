import { lanes } from "../vector";

/**
 * A panel holds, for each of `k` steps, `width` elements side by side. Both packers read
 * `count <= width` of them and leave zeros in the others; `xStep` is the bytes between stored rows.
 */

/** From stored rows that run across the panel: `y[p, i] = x[p, i]`. */
export function packAcross<T>(
  k: i32, count: i32, width: i32, x: usize, xStep: usize, y: usize,
): void {
  const yStep: usize = <usize>width * sizeof<T>();
  if (count < width) memory.fill(y, 0, <usize>k * yStep);
  const bytes: i32 = count * sizeof<T>();
  for (const end: usize = y + <usize>k * yStep; y != end; y += yStep) {
    let from = x;
    let to = y;
    for (let rest = bytes >> 5; rest != 0; rest--) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += 32;
      to += 32;
    }
    if (bytes & 16) {
      v128.store(to, v128.load(from));
      from += 16;
      to += 16;
    }
    if (bytes & 8) {
      store<u64>(to, load<u64>(from));
      from += 8;
      to += 8;
    }
    if (bytes & 4) store<u32>(to, load<u32>(from));
    x += xStep;
  }
}

/** From stored rows that run along the panel: `y[p, i] = x[i, p]`. */
export function packAlong<T>(
  k: i32, count: i32, width: i32, x: usize, xStep: usize, y: usize,
): void {
  const yStep: usize = <usize>width * sizeof<T>();
  if (count < width) memory.fill(y, 0, <usize>k * yStep);
  let i = 0;
  for (; i + lanes<T>() <= count; i += lanes<T>()) {
    if (sizeof<T>() == 4) fourAlong(k, x, xStep, y, yStep);
    else twoAlong(k, x, xStep, y, yStep);
    x += <usize>lanes<T>() * xStep;
    y += 16;
  }
  for (; i < count; i++) {
    let from = x;
    const end = y + <usize>k * yStep;
    for (let to = y; to != end; to += yStep) {
      store<T>(to, load<T>(from));
      from += sizeof<T>();
    }
    x += xStep;
    y += sizeof<T>();
  }
}

/** Four rows of 4-byte elements, by 4x4 transposition. */
function fourAlong(k: i32, x: usize, xStep: usize, y: usize, yStep: usize): void {
  let x1 = x + xStep;
  let x2 = x1 + xStep;
  let x3 = x2 + xStep;
  for (; k >= 4; k -= 4) {
    const r0 = v128.load(x);
    const r1 = v128.load(x1);
    const r2 = v128.load(x2);
    const r3 = v128.load(x3);
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(y, v128.shuffle<f64>(low01, low23, 0, 2));
    y += yStep;
    v128.store(y, v128.shuffle<f64>(low01, low23, 1, 3));
    y += yStep;
    v128.store(y, v128.shuffle<f64>(high01, high23, 0, 2));
    y += yStep;
    v128.store(y, v128.shuffle<f64>(high01, high23, 1, 3));
    y += yStep;
    x += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
  }
  for (; k > 0; k--) {
    store<f32>(y, load<f32>(x));
    store<f32>(y, load<f32>(x1), 4);
    store<f32>(y, load<f32>(x2), 8);
    store<f32>(y, load<f32>(x3), 12);
    y += yStep;
    x += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
  }
}

/** Two rows of 8-byte elements, by 2x2 transposition. */
function twoAlong(k: i32, x: usize, xStep: usize, y: usize, yStep: usize): void {
  let x1 = x + xStep;
  for (; k >= 2; k -= 2) {
    const r0 = v128.load(x);
    const r1 = v128.load(x1);
    v128.store(y, v128.shuffle<f64>(r0, r1, 0, 2));
    y += yStep;
    v128.store(y, v128.shuffle<f64>(r0, r1, 1, 3));
    y += yStep;
    x += 16;
    x1 += 16;
  }
  if (k > 0) {
    store<f64>(y, load<f64>(x));
    store<f64>(y, load<f64>(x1), 8);
  }
}

/** Four panels of two vectors at once, `panelBytes` apart: whole cache lines of each stored row. */
function fourAcross(k: i32, x: usize, xStep: usize, y: usize, panelBytes: usize): void {
  let y1 = y + panelBytes;
  let y2 = y1 + panelBytes;
  let y3 = y2 + panelBytes;
  for (; k > 0; k--) {
    v128.store(y, v128.load(x));
    v128.store(y, v128.load(x, 16), 16);
    v128.store(y1, v128.load(x, 32));
    v128.store(y1, v128.load(x, 48), 16);
    v128.store(y2, v128.load(x, 64));
    v128.store(y2, v128.load(x, 80), 16);
    v128.store(y3, v128.load(x, 96));
    v128.store(y3, v128.load(x, 112), 16);
    x += xStep;
    y += 32;
    y1 += 32;
    y2 += 32;
    y3 += 32;
  }
}

/** `columns` columns of `B` in panels of two vectors; `along` where stored rows run along them. */
export function packPanels<T>(
  k: i32, columns: i32, x: usize, xStep: usize, along: i32, y: usize,
): void {
  const width: i32 = 32 / sizeof<T>();
  const panelBytes = <usize>k * 32;
  if (!along && columns == 4 * width) {
    fourAcross(k, x, xStep, y, panelBytes);
    return;
  }
  const next: usize = along ? <usize>width * xStep : 32;
  for (; columns > 0; columns -= width) {
    if (along) packAlong<T>(k, min(columns, width), width, x, xStep, y);
    else packAcross<T>(k, min(columns, width), width, x, xStep, y);
    x += next;
    y += panelBytes;
  }
}
