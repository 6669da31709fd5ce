import type { Memory } from "./memory.ts";
import { type Kernel, same } from "./signature.ts";

/** `y[o, i] = reduce over l of x[o, l, i]`, all contiguous; `length` may be 0 for `sum`. */
export const reduce = "outer length inner x:in y:out";
export type ReduceKernel = Kernel<typeof reduce>;

/**
 * Reductions into the operand's dtype. `sum` of float32 accumulates so that its error stays near
 * one rounding (blocks of float32, added up in float64). `max` and `min` propagate NaN. `logSumExp`
 * is shifted by the maximum.
 */
export const reduceNames = ["sum", "max", "min", "logSumExp"] as const;
export type ReduceName = (typeof reduceNames)[number];

/**
 * Reductions into int32 positions along `length`: the first extreme value, the first NaN where
 * there is one.
 */
export const argReduceNames = ["argmax", "argmin"] as const;
export type ArgReduceName = (typeof argReduceNames)[number];

export const reduceSignatures: Readonly<Record<ReduceName | ArgReduceName, typeof reduce>> = same(
  [...reduceNames, ...argReduceNames],
  reduce,
);

type Row = readonly number[];

function maximum(row: Row): number {
  return row.reduce((a, b) => Math.max(a, b), -Infinity);
}

function minimum(row: Row): number {
  return row.reduce((a, b) => Math.min(a, b), Infinity);
}

function sum(row: Row): number {
  return row.reduce((a, b) => a + b, 0);
}

function logSumExp(row: Row): number {
  const shift = maximum(row);
  return Number.isFinite(shift)
    ? shift + Math.log(sum(row.map((value) => Math.exp(value - shift))))
    : shift;
}

/** The first position of `value`, NaN being equal to itself. */
function position(row: Row, value: number): number {
  return Math.max(0, Number.isNaN(value) ? row.findIndex(Number.isNaN) : row.indexOf(value));
}

/** Reductions in float64 arithmetic, rounded once when stored. */
export function referenceReductions(
  memory: Memory,
  dtype: "float32" | "float64",
): Readonly<Record<ReduceName | ArgReduceName, ReduceKernel>> {
  const kernel = (
    result: "float32" | "float64" | "int32",
    f: (row: Row) => number,
  ): ReduceKernel => {
    return (outer, length, inner, x, y) => {
      const from = memory.views[dtype];
      const to = memory.views[result];
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const start = x / from.BYTES_PER_ELEMENT + o * length * inner + i;
          const row = Array.from({ length }, (_, l) => from[start + l * inner]!);
          to[y / to.BYTES_PER_ELEMENT + o * inner + i] = f(row);
        }
      }
    };
  };
  return {
    sum: kernel(dtype, sum),
    max: kernel(dtype, maximum),
    min: kernel(dtype, minimum),
    logSumExp: kernel(dtype, logSumExp),
    argmax: kernel("int32", (row) => position(row, maximum(row))),
    argmin: kernel("int32", (row) => position(row, minimum(row))),
  };
}
