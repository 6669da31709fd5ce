import { inFile, type Mutant } from "./mutant.ts";

const inTurn = inFile("packages/rnn/src/models/inTurn.ts", [
  {
    name: "sequential: every part sees the first input",
    kind: "wrong state",
    find: "const x = value;",
    replace: "const x = input;",
  },
  {
    name: "sequential: nothing flows from part to part",
    kind: "lost gradient",
    find: "const x = value;",
    replace: "const x = value.detach();",
  },
  {
    name: "sequential: parts keep their old states",
    kind: "wrong state",
    find: "? runStep(part, params[key]!, x, state[key]!)",
    replace: "? [runStep(part, params[key]!, x, state[key]!)[0], state[key]!]",
  },
  {
    name: "stacked: layers of a whole sequence forget the state that they are given",
    kind: "wrong state",
    find: "{ ...rest, ...(state && { state: state[key] as never }) }",
    replace: "{ ...rest }",
  },
]);

const stacked = inFile("packages/rnn/src/models/stacked.ts", [
  {
    name: "stacked: a residual around the first layer",
    kind: "off by one",
    find: "i > 0 && options.residual",
    replace: "i >= 0 && options.residual",
  },
  {
    name: "stacked: no residuals",
    kind: "forgotten term",
    find: "options.residual === true",
    replace: "options.residual === null",
  },
]);

const residual = inFile("packages/rnn/src/models/residual.ts", [
  {
    name: "stacked: nothing flows through a residual",
    kind: "lost gradient",
    find: "return x.add(y);",
    replace: "return x.detach().add(y);",
  },
  {
    name: "stacked: a residual over a whole sequence forgotten",
    kind: "forgotten term",
    find: "outputs: added(inputs as Tensor, outputs)",
    replace: "outputs",
  },
]);

const bidirectional = inFile("packages/rnn/src/models/bidirectional.ts", [
  {
    name: "bidirectional: both cells forwards",
    kind: "off by one in time",
    find: "reverse: !reverse,",
    replace: "reverse,",
  },
  {
    name: "bidirectional: the parameters of the forward cell for both",
    kind: "swapped operands",
    find: "unroll(backward, own.backward, inputs, {",
    replace: "unroll(backward, own.forward as never, inputs, {",
  },
  {
    name: "bidirectional: the backward cell forgets the state that it is given",
    kind: "wrong state",
    find: "...(before && { state: before.backward }),",
    replace: "",
  },
  {
    name: "bidirectional: outputs of the directions exchanged",
    kind: "swapped operands",
    find: "concat([forward, backward], -1)",
    replace: "concat([backward, forward], -1)",
  },
  {
    name: "bidirectional: a mean that is a sum",
    kind: "mean as sum",
    find: "forward.add(backward).mul(0.5)",
    replace: "forward.add(backward)",
  },
  {
    name: "bidirectional: nothing flows to the backward cell of a product",
    kind: "lost gradient",
    find: "forward.mul(backward)",
    replace: "forward.mul(backward.detach())",
  },
  {
    name: "bidirectional: goes on from a backward state that has ended",
    kind: "guard lost",
    find: "if (ended.has(Object(before?.backward))) {",
    replace: "if (ended.has(Object(before?.forward))) {",
  },
]);

/** Bugs in what is made from cells. */
export const models: readonly Mutant[] = [...inTurn, ...stacked, ...residual, ...bidirectional];
