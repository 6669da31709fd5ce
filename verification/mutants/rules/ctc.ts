import { inFile, type Mutant } from "../mutant.ts";

/** Connectionist temporal classification. */
export const ctc: readonly Mutant[] = inFile("packages/nn/src/losses/ctcLattice.ts", [
  {
    name: "ctcLoss: no blank between equal labels",
    kind: "guard lost",
    find: "return s % 2 === 1 && s > 1 && states[s] !== states[s - 2];",
    replace: "return s % 2 === 1 && s > 1;",
  },
  {
    name: "ctcLoss: paths end in the last blank alone",
    kind: "forgotten term",
    find: "return -logSum(last, alpha.at(-2)!, Number.NEGATIVE_INFINITY);",
    replace: "return -last;",
  },
  {
    name: "ctcLoss: a path begins with a blank",
    kind: "boundary not cut",
    find: "for (let s = 0; s < Math.min(2, size) && steps > 0; s++)",
    replace: "for (let s = 0; s < Math.min(1, size) && steps > 0; s++)",
  },
  {
    name: "ctcLoss: the probability of a class without its loss",
    kind: "forgotten term",
    find: "const path = alpha[t * size + s]! + beta[s]! + loss;",
    replace: "const path = alpha[t * size + s]! + beta[s]!;",
  },
  {
    name: "ctcLoss: the gradient without the cotangent",
    kind: "factor",
    find: "into[from + t * stride + k] = g * slopes[k]!;",
    replace: "into[from + t * stride + k] = slopes[k]!;",
  },
]);
