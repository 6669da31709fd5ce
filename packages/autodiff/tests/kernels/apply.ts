import { expect } from "vitest";
import type { BinaryName, ScaledName, UnaryName } from "../../src/kernels/elementwise.ts";
import type { Arena } from "./arena.ts";
import { type FloatDtype, ulps } from "./ulp.ts";

type Values = ArrayLike<number>;

/** A buffer's values; clears the arena. */
function take(arena: Arena, dtype: FloatDtype, pointer: number, length: number): Float64Array {
  const view = arena.memory.views[dtype];
  const start = pointer / view.BYTES_PER_ELEMENT;
  const values = new Float64Array(view.subarray(start, start + length));
  arena.clear();
  return values;
}

/** `f(x)` by the kernel of that name. */
export function unary(arena: Arena, dtype: FloatDtype, name: UnaryName, x: Values): Float64Array {
  const from = arena.put(dtype, x);
  const to = arena.put(dtype, new Float64Array(x.length));
  arena.kernels[dtype][name](x.length, from, to);
  return take(arena, dtype, to, x.length);
}

/** `f(x, alpha)`, written over `x`. */
export function scaled(
  arena: Arena,
  dtype: FloatDtype,
  name: ScaledName,
  x: Values,
  alpha: number,
): Float64Array {
  const inPlace = arena.put(dtype, x);
  arena.kernels[dtype][name](x.length, inPlace, inPlace, alpha);
  return take(arena, dtype, inPlace, x.length);
}

/** `f(a, b)` of two equally long rows. */
export function binary(
  arena: Arena,
  dtype: FloatDtype,
  name: BinaryName,
  a: Values,
  b: Values,
): Float64Array {
  const n = a.length;
  const first = arena.put(dtype, a);
  const second = arena.put(dtype, b);
  const to = arena.put(dtype, new Float64Array(n));
  arena.kernels[dtype][name](1, n, first, n, 1, second, n, 1, to);
  return take(arena, dtype, to, n);
}

/** Checks that no error of `got` exceeds `bound` units in the last place. */
export function expectWithin(
  bound: number,
  dtype: FloatDtype,
  got: Values,
  truth: Values,
  ...x: Values[]
): void {
  let error = 0;
  let index = 0;
  for (let i = 0; i < got.length; i++) {
    const here = ulps(dtype, got[i]!, truth[i]!);
    if (here <= error) continue;
    error = here;
    index = i;
  }
  const text = (value: number | undefined): string => (Object.is(value, -0) ? "-0" : `${value}`);
  const place = x.map((values) => text(values[index])).join(", ");
  const message = `f(${place}) = ${text(truth[index])}, got ${text(got[index])}`;
  expect(error, message).toBeLessThanOrEqual(bound);
}
