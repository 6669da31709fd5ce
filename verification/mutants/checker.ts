import { inFile, type Mutant } from "./mutant.ts";

const returned = inFile("packages/autodiff/src/passes/returned.ts", [
  {
    name: "returned: any dtype will do",
    kind: "guard lost",
    find: "isLike(found, like) &&",
    replace: "found.shape.join() === like.shape.join() &&",
  },
  {
    name: "returned: any shape will do",
    kind: "guard lost",
    find: "isLike(found, like) &&",
    replace: "found.dtype === like.dtype &&",
  },
]);

const verdict = inFile("packages/autodiff/src/testing/verdict.ts", [
  {
    name: "verdict: errors relative to 1 at least",
    kind: "guard lost",
    find: "const own = Math.max(Math.abs(analytic), Math.abs(value));",
    replace: "const own = Math.max(1, Math.abs(analytic), Math.abs(value));",
  },
  {
    name: "verdict: a derivative among ones that are 1 at least",
    kind: "guard lost",
    find: "const read = 2 ** 16 * epsilon * natural;",
    replace: "const read = 1e-7 * Math.max(1, natural);",
  },
  {
    name: "verdict: what cannot be told is right",
    kind: "guard lost",
    find: 'return isDecided(analytic, numeric, scale, tolerance) ? "right" : "undecided";',
    replace: 'return "right";',
  },
  {
    name: "verdict: a wrong derivative among large ones",
    kind: "guard lost",
    find: 'if (verdict === "wrong") return relative(analytic, numeric.value);',
    replace: "",
  },
  {
    name: "verdict: a kink is right",
    kind: "guard lost",
    find: 'return isSmall || isDecided(analytic, numeric, 0, tolerance) ? "right" : "undecided";',
    replace: 'return "right";',
  },
]);

const steps = inFile("packages/autodiff/src/testing/steps.ts", [
  {
    name: "steps: of one length for all inputs",
    kind: "wrong function",
    find: "return powerOfTwo(own > most / 64 && own < Infinity ? own : most / 64);",
    replace: "return 1;",
  },
  {
    name: "steps: one size alone",
    kind: "guard lost",
    find: "for (const h of others) {",
    replace: "for (const h of []) {",
  },
]);

const differences = inFile("packages/autodiff/src/testing/differences.ts", [
  {
    name: "differences: no rounding",
    kind: "forgotten term",
    find: "(2 * Number.EPSILON * size) / h",
    replace: "0",
  },
]);

const modes = inFile("packages/autodiff/src/testing/jacobian.ts", [
  {
    name: "jacobian: forward mode not compared",
    kind: "guard lost",
    find: "...(columns && { forward: columns[column]![row]! }),",
    replace: "",
  },
]);

const laws = inFile("packages/autodiff/src/testing/laws/case.ts", [
  {
    name: "laws: vectors relative to 1 at least",
    kind: "guard lost",
    find: "const here = relative(a, b, scale);",
    replace: "const here = relative(a, b, Math.max(1, scale));",
  },
]);

const examination = inFile("packages/autodiff/src/testing/examination.ts", [
  {
    name: "examination: second derivatives not examined",
    kind: "guard lost",
    find: "if (order === 2 && faults.length === 0)",
    replace: "if (order > 2)",
  },
]);

/** Bugs in the checker itself: mistakes that it misses, or reports without cause. */
export const checker: readonly Mutant[] = [
  ...returned,
  ...verdict,
  ...steps,
  ...differences,
  ...modes,
  ...laws,
  ...examination,
];
