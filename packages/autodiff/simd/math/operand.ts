import { operandRoom } from "../room";
import { loadPart } from "../vector";

/**
 * Elements of a row that are brought together at a time when an operand's stride is neither 0 nor
 * 1.
 */
export const span: i32 = 64;

/** Whether a row of this stride can be read as it lies. */
// @ts-ignore: decorator
@inline
export function isPlain(stride: i32): bool {
  return stride == 0 || stride == 1;
}

/** Bytes from one vector of an operand to the next. */
// @ts-ignore: decorator
@inline
export function stepOf(stride: i32): usize {
  return stride == 0 ? 0 : 16;
}

/**
 * Where to read n elements of a row as vectors: x itself, a vector full of x[0], or the elements
 * side by side.
 */
export function gathered<T>(which: i32, n: i32, x: usize, stride: i32): usize {
  if (stride == 1) return x;
  const target = operandRoom() + which * 64 * 8;
  if (stride == 0) {
    v128.store(target, v128.load_splat<T>(x));
    return target;
  }
  for (let i = 0; i < n; i++) {
    store<T>(target + <usize>i * sizeof<T>(), load<T>(x));
    x += <isize>stride * sizeof<T>();
  }
  return target;
}

/** The last, incomplete vector of an operand. */
// @ts-ignore: decorator
@inline
export function lastOf<T>(x: usize, step: usize, n: i32): v128 {
  return step == 0 ? v128.load(x) : loadPart<T>(x, n, <T>0);
}
