import { inFile, type Mutant } from "../mutant.ts";

const lstm = inFile("packages/autodiff/src/ops/lstm.ts", [
  {
    name: "lstmGates: slopes of gates i f o g",
    kind: "gate order",
    find: "sigmoidSlope(i), sigmoidSlope(f), tanhSlope(g), sigmoidSlope(o)",
    replace: "sigmoidSlope(i), sigmoidSlope(f), sigmoidSlope(g), tanhSlope(o)",
  },
  {
    name: "lstmGates: x declared as kept for y",
    kind: "guard lost",
    find: "residuals: { inputs: [], output: true },",
    replace: "residuals: { inputs: [0], output: false },",
  },
  {
    name: "lstmGates: the kernel reads the cotangent for the gates",
    kind: "wrong saved value",
    find: "output.pointer, g.pointer, accumulate",
    replace: "g.pointer, g.pointer, accumulate",
  },
  {
    name: "lstmCellState: the input gate's slope is itself",
    kind: "wrong saved value",
    find: "[g.mul(candidate), g.mul(c!), g.mul(i), zerosLike(g)]",
    replace: "[g.mul(i), g.mul(c!), g.mul(i), zerosLike(g)]",
  },
  {
    name: "lstmCellState: the kernel's rule adds nothing to what arrived",
    kind: "lost gradient",
    find: `        kernelsOf(into.block.backend, into).lstmCellStateVjpGates(
          ...sizesOf(into, 4),
          gates!.pointer,
          c!.pointer,
          g.pointer,
          accumulate,`,
    replace: `        kernelsOf(into.block.backend, into).lstmCellStateVjpGates(
          ...sizesOf(into, 4),
          gates!.pointer,
          c!.pointer,
          g.pointer,
          0,`,
  },
  {
    name: "lstmCellState: nothing flows along the memory in forward mode",
    kind: "lost gradient",
    find: "const byC = dc && f.mul(dc);",
    replace: "const byC = dc && f.mul(dc).mul(0);",
  },
  {
    name: "lstmCellState: the input gate forgets by the cotangent of the memory",
    kind: "gate order",
    find: "g.mul(gates!.split(4, -1)[1])",
    replace: "g.mul(gates!.split(4, -1)[0])",
  },
  {
    name: "lstmOutput: the memory itself for its tanh",
    kind: "wrong function",
    find: "g.mul(c!.tanh())",
    replace: "g.mul(c!)",
  },
  {
    name: "lstmOutput: the slope of tanh lost",
    kind: "forgotten term",
    find: "g.mul(gates!.split(4, -1)[3]).mul(tanhSlope(c!.tanh()))",
    replace: "g.mul(gates!.split(4, -1)[3])",
  },
  {
    name: "lstmOutput: the output not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0, 1], output: true },",
    replace: "residuals: { inputs: [0, 1], output: false },",
  },
  {
    name: "lstmOutput: the forget gate's tangent",
    kind: "gate order",
    find: "dgates.split(4, -1)[3].mul(t)",
    replace: "dgates.split(4, -1)[1].mul(t)",
  },
]);

const gru = inFile("packages/autodiff/src/ops/gru.ts", [
  {
    name: "gruGates: the candidate's way through the reset gate forgotten",
    kind: "forgotten term",
    find: "const dr = gr.add(dn.mul(h!.split(3, -1)[2].add(bias!)));",
    replace: "const dr = gr;",
  },
  {
    name: "gruGates: both sides get the input's cotangent",
    kind: "swapped operands",
    find: "recurrent === 1 ? passed : n",
    replace: "n",
  },
  {
    name: "gruGates: the kernel takes both sides for the input's",
    kind: "swapped operands",
    find: "        recurrent,\n",
    replace: "        0,\n",
  },
  {
    name: "gruGates: the bias gets the cotangent of the candidate",
    kind: "forgotten term",
    find: "sumTo(cotangents(g, application)[3]",
    replace: "sumTo(cotangents(g, application)[2]",
  },
  {
    name: "gruGates: the state not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [1, 2], output: true },",
    replace: "residuals: { inputs: [2], output: true },",
  },
  {
    name: "gruGates: the tangent of the bias lost",
    kind: "lost gradient",
    find: "r.mul(hn.add(dbias!))",
    replace: "r.mul(hn)",
  },
  {
    name: "gruOutput: the candidate's cotangent in full",
    kind: "forgotten term",
    find: "g.sub(g.mul(z))",
    replace: "g",
  },
  {
    name: "gruOutput: the sign of the distance",
    kind: "sign",
    find: "g.mul(h!.sub(n))",
    replace: "g.mul(n.sub(h!))",
  },
  {
    name: "gruOutput: the reset gate lets the state through",
    kind: "gate order",
    find: "g.mul(gates!.split(3, -1)[1])",
    replace: "g.mul(gates!.split(3, -1)[0])",
  },
]);

const machinery = inFile("packages/autodiff/src/ops/fused.ts", [
  {
    name: "fused: rules with derivatives of their own only where the cotangent is watched",
    kind: "lost gradient",
    find: "for (const input of inputs) if (input.tape !== null) return true;",
    replace: "",
  },
  {
    name: "fused: rules with derivatives of their own only where an input is watched",
    kind: "lost gradient",
    find: "if (g.tape !== null) return true;",
    replace: "",
  },
  {
    name: "fused: what is to be added replaces what is there",
    kind: "lost gradient",
    find: "rule.kernel(g, application, into, 1);",
    replace: "rule.kernel(g, application, into, 0);",
  },
]);

/** Bugs in the rules of gates, and of fused ops at large. */
export const gates: readonly Mutant[] = [...lstm, ...gru, ...machinery];
