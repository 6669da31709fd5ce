import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in estimators, and in what holds them to full back-propagation. */
export const estimators: readonly Mutant[] = [
  ...inFile("packages/rnn/src/estimators/cuts.ts", [
    {
      name: "artbp: nothing makes up for a cut",
      kind: "factor",
      find: "return draws.uniform() < c ? 0 : 1 / (1 - c);",
      replace: "return draws.uniform() < c ? 0 : 1;",
    },
    {
      name: "artbp: divided by the probability of a cut",
      kind: "factor",
      find: "return draws.uniform() < c ? 0 : 1 / (1 - c);",
      replace: "return draws.uniform() < c ? 0 : 1 / (c || 1);",
    },
  ]),
  ...inFile("packages/rnn/src/estimators/artbp.ts", [
    {
      name: "artbp: the probability of the step after",
      kind: "off by one in time",
      find: "probability(losses.length)",
      replace: "probability(losses.length + 1)",
    },
    {
      name: "artbp: the state at the first cut for all windows",
      kind: "wrong state",
      find: "state = within(next, () => {",
      replace: "within(next, () => {",
    },
  ]),
  ...inFile("packages/rnn/src/estimators/unrollByNewton.ts", [
    {
      name: "Newton: the adjoint by the Jacobian of its own step",
      kind: "off by one in time",
      find: "jacobians.slice([t + 1])",
      replace: "jacobians.slice([t])",
    },
    {
      name: "Newton: content too soon",
      kind: "guard lost",
      find: "largestOf(corrections) <= bound",
      replace: "largestOf(corrections) <= 1",
    },
  ]),
  ...inFile("packages/rnn/src/estimators/estimates.ts", [
    {
      name: "comparison: the norm of the mean for its bias",
      kind: "forgotten term",
      find: "(x, i) => x - this.#truth[i]!",
      replace: "(x) => x",
    },
  ]),
  ...inFile("packages/rnn/src/testing/estimators/compare.ts", [
    {
      name: "checkEstimator: only what is as large as the gradient is wrong",
      kind: "guard lost",
      find: "if (error <= bound) continue;",
      replace: "if (error <= Math.max(1, bound)) continue;",
    },
  ]),
];
