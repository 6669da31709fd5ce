import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in the instruments of gradients in time. */
export const lags: readonly Mutant[] = [
  ...inFile("packages/rnn/src/flow/sweepLags.ts", [
    {
      name: "lagMatrix: a loss is dropped one lag early",
      kind: "off by one in time",
      find: "s - (t - 1) < lags",
      replace: "s - (t - 1) < lags - 1",
    },
    {
      name: "lagMatrix: losses on the way stay where they are",
      kind: "lost gradient",
      find: "new Transition(cell, params, step, before).pull(from)",
      replace: "from",
    },
  ]),
  ...inFile("packages/rnn/src/flow/stateGradients.ts", [
    {
      name: "stateGradients: nothing comes from the later steps",
      kind: "lost gradient",
      find: "later !== undefined && tape.tracks(x)",
      replace: "later === undefined && tape.tracks(x)",
    },
  ]),
  ...inFile("packages/rnn/src/flow/decay.ts", [
    {
      name: "lagMatrix: the rate of the inverse decay",
      kind: "sign",
      find: "rate: Math.exp(log),",
      replace: "rate: Math.exp(-log),",
    },
  ]),
  ...inFile("packages/rnn/src/sequences/advance.ts", [
    {
      name: "a state goes on in the order that a step returns",
      kind: "wrong state",
      find: "inOrderOf(before, made)",
      replace: "made",
    },
  ]),
];
