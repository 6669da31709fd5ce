export * from "./arithmetic.ts";
export * from "./cast.ts";
export * from "./compare.ts";
export type { Op, Operand } from "./declare.ts";
export { detach } from "./detach.ts";
export * from "./einsum.ts";
export * from "./elementwise.ts";
export * from "./indexing.ts";
export * from "./linalg.ts";
export * from "./loss.ts";
export type { ArgReduceOp, ReduceOp } from "./reduce.ts";
export {
  argmax,
  argmin,
  cumsum,
  logSumExp,
  max,
  mean,
  min,
  norm,
  prod,
  sum,
  variance,
} from "./reduce.ts";
export * from "./select.ts";
export * from "./shape.ts";
export type { Range } from "./slice.ts";
export { flip, pad, slice, split } from "./slice.ts";
