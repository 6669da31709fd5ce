import { lanes, loadPart, storePart } from "../vector";
import { logOf, storeExp, totalOfExp } from "../reduce/exponential";
import { greatest } from "../reduce/extreme";

/** `y[i] /= divisor`. */
function divide<T>(n: i32, y: usize, divisor: T): void {
  const d = v128.splat<T>(divisor);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, v128.div<T>(v128.load(y), d));
    y += 16;
  }
  storePart<T>(y, v128.div<T>(loadPart<T>(y, n, <T>0), d), n);
}

export function softmax<T>(rows: i32, cols: i32, x: usize, y: usize): void {
  const step = <usize>cols * sizeof<T>();
  for (; rows > 0; rows--) {
    divide<T>(cols, y, <T>storeExp<T>(cols, x, greatest<T>(cols, x), y));
    x += step;
    y += step;
  }
}

/** `(x - m) - log(sum of e^(x - m))`. */
export function logSoftmax<T>(rows: i32, cols: i32, x: usize, y: usize): void {
  for (; rows > 0; rows--) {
    const greatestValue = greatest<T>(cols, x);
    const m = v128.splat<T>(greatestValue);
    const l = v128.splat<T>(<T>logOf(totalOfExp<T>(cols, x, greatestValue)));
    let n = cols;
    for (; n >= lanes<T>(); n -= lanes<T>()) {
      v128.store(y, v128.sub<T>(v128.sub<T>(v128.load(x), m), l));
      x += 16;
      y += 16;
    }
    storePart<T>(y, v128.sub<T>(v128.sub<T>(loadPart<T>(x, n, <T>0), m), l), n);
    x += <usize>n * sizeof<T>();
    y += <usize>n * sizeof<T>();
  }
}

/**
 * The loss is `log(sum of e^(x - m)) + (m - x[target])`: exact where logits are large and close.
 */
export function crossEntropy<T>(
  rows: i32, cols: i32, logits: usize, targets: usize, ignoreIndex: i32, losses: usize,
): void {
  for (; rows > 0; rows--) {
    const target = load<i32>(targets);
    let loss: f64 = 0;
    if (target != ignoreIndex) {
      const m = greatest<T>(cols, logits);
      loss = <f64>m - <f64>load<T>(logits + <usize>target * sizeof<T>());
      if (m - m == 0) loss += logOf(totalOfExp<T>(cols, logits, m));
    }
    store<T>(losses, <T>loss);
    logits += <usize>cols * sizeof<T>();
    targets += 4;
    losses += sizeof<T>();
  }
}

export function crossEntropyVjp<T>(
  rows: i32, cols: i32, logits: usize, targets: usize, ignoreIndex: i32, g: usize, dx: usize,
): void {
  const step = <usize>cols * sizeof<T>();
  for (; rows > 0; rows--) {
    const target = load<i32>(targets);
    if (target == ignoreIndex) memory.fill(dx, 0, step);
    else {
      const cotangent = <f64>load<T>(g);
      const total = storeExp<T>(cols, logits, greatest<T>(cols, logits), dx);
      const atTarget = dx + <usize>target * sizeof<T>();
      // p - 1 = (e - total)/total, which keeps its digits where p is near 1.
      const entry = cotangent * ((<f64>load<T>(atTarget) - total) / total);
      scale<T>(cols, dx, <T>(cotangent / total));
      store<T>(atTarget, <T>entry);
    }
    logits += step;
    targets += 4;
    g += sizeof<T>();
    dx += step;
  }
}

/** `y[i] *= factor`. */
function scale<T>(n: i32, y: usize, factor: T): void {
  const f = v128.splat<T>(factor);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, v128.mul<T>(v128.load(y), f));
    y += 16;
  }
  storePart<T>(y, v128.mul<T>(loadPart<T>(y, n, <T>0), f), n);
}
