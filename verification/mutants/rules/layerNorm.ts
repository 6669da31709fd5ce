import { inFile, type Mutant } from "../mutant.ts";

/** Bugs in the rules of layer normalisation. */
export const layerNorm: readonly Mutant[] = inFile("packages/autodiff/src/ops/layerNorm.ts", [
  {
    name: "layerNorm: the mean as a constant",
    kind: "forgotten term",
    find: "k.sub(averaged(k)).sub(",
    replace: "k.sub(",
  },
  {
    name: "layerNorm: the variance as a constant",
    kind: "forgotten term",
    find: ".sub(n.mul(averaged(k.mul(n))))",
    replace: "",
  },
  {
    name: "layerNorm: the deviation lost in the derivative",
    kind: "factor",
    find: "return s.mul(k.sub",
    replace: "return k.mul(k.sub",
  },
  {
    name: "layerNorm: epsilon beside the root in the rules",
    kind: "wrong function",
    find: "averaged(d.square()).add(epsilon).rsqrt()",
    replace: "averaged(d.square()).sqrt().add(epsilon).reciprocal()",
  },
  {
    name: "layerNorm: the gain forgotten in the derivative",
    kind: "forgotten term",
    find: "projected(g.mul(gain!), ...normalized(x!, epsilon))",
    replace: "projected(g, ...normalized(x!, epsilon))",
  },
  {
    name: "layerNorm: the gain's cotangent reads x",
    kind: "wrong saved value",
    find: "sumTo(g.mul(normalized(x!, epsilon)[0]), gain!.shape)",
    replace: "sumTo(g.mul(x!), gain!.shape)",
  },
  {
    name: "layerNorm: the gain not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0, 1], output: false },",
    replace: "residuals: { inputs: [0], output: false },",
  },
  {
    name: "layerNorm: the bias gets the last sweep's rows twice",
    kind: "missing reduction",
    find: "if (accumulate === 1) addRows",
    replace: "if (accumulate === 0) addRows",
  },
  {
    name: "layerNorm: a tangent of x alone without the gain",
    kind: "forgotten term",
    find: "projected(dx, n, s).mul(gain!)",
    replace: "projected(dx, n, s)",
  },
  {
    name: "layerNorm: gain and bias exchanged",
    kind: "swapped operands",
    find: `      gain!.pointer,
      bias!.pointer,
      epsilon,
      y.pointer,`,
    replace: `      bias!.pointer,
      gain!.pointer,
      epsilon,
      y.pointer,`,
  },
]);
