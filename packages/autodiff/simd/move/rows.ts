import { lanes } from "../vector";
import { copyContiguous } from "./copy";

export function gather<T>(n: i32, inner: i32, x: usize, indices: usize, y: usize): void {
  const step = <usize>inner * sizeof<T>();
  for (; n > 0; n--) {
    copyContiguous<T>(inner, x + <usize>load<i32>(indices) * step, y);
    indices += 4;
    y += step;
  }
}

export function scatterAdd<T>(n: i32, inner: i32, g: usize, indices: usize, y: usize): void {
  const step = <usize>inner * sizeof<T>();
  for (; n > 0; n--) {
    let to = y + <usize>load<i32>(indices) * step;
    let rest = inner;
    for (; rest >= lanes<T>(); rest -= lanes<T>()) {
      v128.store(to, v128.add<T>(v128.load(to), v128.load(g)));
      to += 16;
      g += 16;
    }
    for (; rest > 0; rest--) {
      store<T>(to, load<T>(to) + load<T>(g));
      to += sizeof<T>();
      g += sizeof<T>();
    }
    indices += 4;
  }
}

export function oneHot<T>(n: i32, depth: i32, indices: usize, y: usize): void {
  const step = <usize>depth * sizeof<T>();
  memory.fill(y, 0, <usize>max(n, 0) * step);
  for (; n > 0; n--) {
    const index = load<i32>(indices);
    if (<u32>index < <u32>depth) store<T>(y + <usize>index * sizeof<T>(), <T>1);
    indices += 4;
    y += step;
  }
}

export function fill<T>(n: i32, value: T, y: usize): void {
  const v = v128.splat<T>(value);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, v);
    y += 16;
  }
  for (; n > 0; n--) {
    store<T>(y, value);
    y += sizeof<T>();
  }
}
