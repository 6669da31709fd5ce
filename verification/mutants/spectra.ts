import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in what is seen along a trajectory: spectra, exponents, fixed points. */
export const spectra: readonly Mutant[] = [
  ...inFile("packages/rnn/src/flow/krylov.ts", [
    {
      name: "singular values: the products go the wrong way",
      kind: "transposed product",
      find: 'yield { by: "pull", x: u }',
      replace: 'yield { by: "push", x: u }',
    },
    {
      name: "eigenvalues: the subdiagonal is one column late",
      kind: "off by one",
      find: "i === j + 1 ? below[j]!",
      replace: "i === j + 2 ? below[j]!",
    },
  ]),
  ...inFile("packages/rnn/src/flow/tangents.ts", [
    {
      name: "exponents: the warm-up is counted",
      kind: "guard lost",
      find: "row.age >= this.#options.warmUp",
      replace: "row.age >= 0",
    },
    {
      name: "exponents: growth over several steps as that of one",
      kind: "wrong count",
      find: "steps: row.pending, logs",
      replace: "steps: 1, logs",
    },
  ]),
  ...inFile("packages/rnn/src/flow/thinQr.ts", [
    {
      name: "flossing: directions are constants",
      kind: "lost gradient",
      find: "stack(columns)",
      replace: "stack(columns).detach()",
    },
    {
      name: "flossing: directions are not made orthogonal",
      kind: "forgotten term",
      find: "rest.mul(column).sum(-1, { keepDims: true }).mul(column)",
      replace: "rest.mul(column).sum(-1, { keepDims: true }).mul(0)",
    },
  ]),
  ...inFile("packages/rnn/src/flow/slowestStates.ts", [
    {
      name: "fixed points: a step against the state after, not the distance to it",
      kind: "forgotten term",
      find: "const residual = transition.after(before).sub(before)",
      replace: "const residual = transition.after(before)",
    },
  ]),
  ...inFile("packages/rnn/src/flow/fixedPoints.ts", [
    {
      name: "fixed points: stable directions counted as unstable",
      kind: "swapped operands",
      find: "modulus(value) > 1",
      replace: "modulus(value) < 1",
    },
  ]),
];
