import { inFile, type Mutant } from "./mutant.ts";

/** Bugs on the way from PyTorch and back, and of what starts as PyTorch does. */
export const pytorch: readonly Mutant[] = [
  ...inFile("packages/rnn/src/pytorch/recurrent.ts", [
    {
      name: "nn.LSTM: matrices read as they lie",
      kind: "transposed product",
      find: "[key, dict[at(name)]!.transpose()]",
      replace: "[key, dict[at(name)]!.reshape(params[key]!.shape)]",
    },
    {
      name: "nn.LSTM: matrices written as they lie",
      kind: "transposed product",
      find: "[at(name), values[key]!.transpose()]",
      replace: "[at(name), values[key]!.reshape(params[key]!.shape.toReversed())]",
    },
    {
      name: "nn.LSTM: the matrices of input and state exchanged",
      kind: "swapped operands",
      find: 'W: "weight_ih", U: "weight_hh"',
      replace: 'W: "weight_hh", U: "weight_ih"',
    },
    {
      name: "nn.LSTM: two gates exchanged",
      kind: "gate order",
      find: "else found.b = ofInput.add(ofState);",
      replace: "else found.b = ofInput.add(ofState).roll(hidden, 0);",
    },
    {
      name: "nn.LSTM: one of the biases forgotten",
      kind: "forgotten bias",
      find: "else found.b = ofInput.add(ofState);",
      replace: "else found.b = ofInput.clone();",
    },
    {
      name: "nn.GRU: the candidate's recurrent bias counted twice",
      kind: "factor",
      find: "concat([summed, zero([hidden])])",
      replace: "ofState",
    },
    {
      name: "nn.GRU: the biases of the gates forgotten",
      kind: "forgotten bias",
      find: "concat([summed, zero([hidden])])",
      replace: "zero([gates * hidden])",
    },
    {
      name: "nn.LSTM: a bias of gradients doubled",
      kind: "factor",
      find: "gradients ? b.clone()",
      replace: "gradients ? b.mul(2)",
    },
    {
      name: "nn.LSTM: the second bias has no gradient",
      kind: "lost gradient",
      find: "gradients ? b.clone() :",
      replace: "gradients && b.size === 0 ? b.clone() :",
    },
    {
      name: "nn.LSTM: parameters have their bias twice",
      kind: "factor",
      find: ": zerosLike(b, b.shape)",
      replace: ": b.clone()",
    },
  ]),
  ...inFile("packages/rnn/src/pytorch/layoutOf.ts", [
    {
      name: "nn.LSTM: both directions read forwards",
      kind: "swapped operands",
      find: 'way === "backward" ?',
      replace: 'way !== "backward" ?',
    },
  ]),
  ...inFile("packages/rnn/src/pytorch/layers.ts", [
    {
      name: "nn.Module: nothing is transposed in nn.Linear",
      kind: "transposed product",
      find: "x.transpose() : x.clone()",
      replace: "x.reshape(x.shape.toReversed()) : x.clone()",
    },
    {
      name: "nn.Module: gain and bias of nn.LayerNorm exchanged",
      kind: "swapped operands",
      find: '["gain", "weight", init.ones(...gain!.shape)],\n    ["bias", "bias", init.zeros(...bias!.shape)],',
      replace:
        '["bias", "weight", init.ones(...gain!.shape)],\n    ["gain", "bias", init.zeros(...bias!.shape)],',
    },
  ]),
];
