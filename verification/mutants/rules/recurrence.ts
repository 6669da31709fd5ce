import { inFile, type Mutant } from "../mutant.ts";

/** Bugs in the rules of the scan over time. */
export const recurrence: readonly Mutant[] = inFile("packages/autodiff/src/ops/recurrence.ts", [
  {
    name: "linearRecurrence: the cotangents run the same way",
    kind: "off by one in time",
    find: "const reverse = !run.reverse;",
    replace: "const reverse = run.reverse;",
  },
  {
    name: "linearRecurrence: coefficients of the cotangents without their conjugate",
    kind: "sign",
    find: "shifted(conj(a, run), nothing, reverse)",
    replace: "shifted(a, nothing, reverse)",
  },
  {
    name: "linearRecurrence: each cotangent by the coefficient of its own step",
    kind: "off by one in time",
    find: "const coefficients = shifted(conj(a, run), nothing, reverse);",
    replace: "const coefficients = conj(a, run);",
  },
  {
    name: "linearRecurrence: the kernel's rule of a reads the cotangents for the states",
    kind: "wrong saved value",
    find: "          output.pointer,\n          g.pointer,",
    replace: "          g.pointer,\n          g.pointer,",
  },
  {
    name: "linearRecurrence: the states are declared as not kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0, 2], output: true },",
    replace: "residuals: { inputs: [0, 2], output: false },",
  },
  {
    name: "linearRecurrence: the start's cotangent is taken at the other end",
    kind: "wrong axis",
    find: "const at = run.reverse ? length! - 1 : 0;",
    replace: "const at = run.reverse ? 0 : length! - 1;",
  },
  {
    name: "linearRecurrence: the tangent of a is forgotten where b varies",
    kind: "forgotten term",
    find: "pushed && db ? pushed.add(db)",
    replace: "pushed && db ? db",
  },
]);
