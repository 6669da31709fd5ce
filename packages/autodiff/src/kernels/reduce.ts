import type { Kernel } from "./signature.ts";

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
