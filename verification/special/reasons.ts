/** A number as JSON has it: NaN, infinities and -0 as text. */
export type Written = number | "NaN" | "Infinity" | "-Infinity" | "-0";

/** Why the library's numbers differ from PyTorch's at some points of an op. */
export interface Reason {
  readonly op: string;
  /** The points; all of the op's unless given. */
  readonly at?: readonly (readonly Written[])[];
  readonly because: string;
}

/** Numbers that are plainly wrong in PyTorch: intermediate squares leave the range. */
const range = "PyTorch squares what is too large or too small for it; this is the derivative";
const limit = "the limit; PyTorch multiplies infinity by 0";
const propagates = "no derivative exists at NaN; a comparison with NaN is false here";

export const reasons: readonly Reason[] = [
  { op: "abs", at: [["NaN"]], because: "NaN stays NaN, in the value and in the derivative" },
  { op: "sign", at: [["NaN"]], because: "the sign of NaN is NaN, as JAX has it" },
  {
    op: "expm1",
    at: [[-50]],
    because: "e^x; PyTorch takes it from the output, which is -1 to the last place",
  },
  { op: "asinh", because: range },
  { op: "acosh", because: range },
  { op: "atan2", because: range },
  {
    op: "hypot",
    at: [[0, 0]],
    because: "a kink, where 0 is the subgradient of least size, as for abs and norm",
  },
  {
    op: "hypot",
    at: [[1.7e308, 1.7e308]],
    because: "the value is beyond the range, its derivative is not, as JAX has it",
  },
  { op: "norm", because: "scaled before it is squared, so neither overflows nor vanishes" },
  { op: "relu", at: [["NaN"]], because: `${propagates}, as in JAX` },
  { op: "leakyRelu", at: [["NaN"]], because: propagates },
  {
    op: "leakyRelu",
    at: [[0], ["-0"]],
    because: "at the kink the derivative is taken from the right, as JAX has it",
  },
  {
    op: "maximum",
    at: [["NaN", 1]],
    because: `${propagates}: nobody wins, as in JAX`,
  },
  {
    op: "minimum",
    at: [["NaN", 1]],
    because: `${propagates}: nobody wins, as in JAX`,
  },
  {
    op: "gelu",
    at: [["-Infinity"]],
    because: "the value is the limit, -0; the derivative is NaN in all three: infinity times 0",
  },
  { op: "silu", at: [["-Infinity"]], because: limit },
  { op: "variance", at: [["Infinity", 1]], because: "the deviations are NaN, so are derivatives" },
  {
    op: "logSumExp",
    at: [
      [0, "Infinity"],
      ["Infinity", "Infinity"],
    ],
    because: "what is infinite has it all, in equal shares; PyTorch subtracts infinities",
  },
  {
    op: "logSumExp",
    at: [["-Infinity", "-Infinity"]],
    because: "there is nothing to share: nothing flows back",
  },
  {
    op: "logSumExp",
    at: [[1e20, 1e20]],
    because:
      "shares add up to 1, as in JAX; PyTorch subtracts a value too coarse for the log 2 in it",
  },
  {
    op: "crossEntropy of class 0",
    at: [[0, "Infinity"]],
    because: "the value is the limit; the derivative is NaN in all three: infinity minus infinity",
  },
];

/** The written reason for a point, if there is one. */
export function reasonOf(op: string, at: readonly Written[]): Reason | undefined {
  return reasons.find(
    (reason) =>
      reason.op === op &&
      (reason.at === undefined || reason.at.some((point) => point.join() === at.join())),
  );
}
