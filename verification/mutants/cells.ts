import { moreCells } from "./moreCells.ts";
import { inFile, type Mutant } from "./mutant.ts";

const convLstm = inFile("packages/rnn/src/cells/convLstm.ts", [
  {
    name: "convLstm: the bias forgotten",
    kind: "forgotten bias",
    find: ".add(b.reshape([-1, 1, 1]));",
    replace: ";",
  },
  {
    name: "convLstm: hands on the memory as output",
    kind: "wrong state",
    find: "{ h: next, c: memory.reshape(c.shape) }",
    replace: "{ h: memory.reshape(c.shape), c: memory.reshape(c.shape) }",
  },
  {
    name: "convLstm: gates exchanged in the equations",
    kind: "gate order",
    find: "const [i, f, g, o]",
    replace: "const [f, i, g, o]",
  },
  {
    name: "convLstm: nothing flows through the memory",
    kind: "lost gradient",
    find: "lstmCellState(gates, c.reshape(rows))",
    replace: "lstmCellState(gates, c.reshape(rows).detach())",
  },
]);

const elman = inFile("packages/rnn/src/simpleRecurrence.ts", [
  {
    name: "elman: the bias forgotten",
    kind: "forgotten bias",
    find: "x.matmul(W).add(h.matmul(U)).add(b)[activation]",
    replace: "x.matmul(W).add(h.matmul(U))[activation]",
  },
  {
    name: "elman: nothing flows to the state before",
    kind: "lost gradient",
    find: "h.matmul(U)",
    replace: "h.detach().matmul(U)",
  },
  {
    name: "elman: hands on the old state",
    kind: "wrong state",
    find: "return [next, { h: next }];",
    replace: "return [next, { h }];",
  },
]);

const lstm = inFile("packages/rnn/src/cells/lstm.ts", [
  {
    name: "lstm: the bias forgotten",
    kind: "forgotten bias",
    find: "lstmGates(x.matmul(W).add(h.matmul(U)).add(b))",
    replace: "lstmGates(x.matmul(W).add(h.matmul(U)))",
  },
  {
    name: "lstm: the output reads the memory before",
    kind: "off by one in time",
    find: "lstmOutput(gates, cNext)",
    replace: "lstmOutput(gates, c)",
  },
  {
    name: "lstm: hands on the old memory",
    kind: "wrong state",
    find: "{ h: hNext, c: cNext }",
    replace: "{ h: hNext, c }",
  },
  {
    name: "lstm: output and memory exchanged",
    kind: "wrong state",
    find: "{ h: hNext, c: cNext }",
    replace: "{ h: cNext, c: hNext }",
  },
  {
    name: "lstm: nothing flows through the memory",
    kind: "lost gradient",
    find: "lstmCellState(gates, c)",
    replace: "lstmCellState(gates, c.detach())",
  },
  {
    name: "lstm: other gates in the equations",
    kind: "gate order",
    find: "const [i, f, g, o]",
    replace: "const [i, f, o, g]",
  },
  {
    name: "lstm: the gates not activated",
    kind: "wrong function",
    find: "lstmGates(x.matmul(W).add(h.matmul(U)).add(b))",
    replace: "x.matmul(W).add(h.matmul(U)).add(b)",
  },
]);

const gru = inFile("packages/rnn/src/cells/gru.ts", [
  {
    name: "gru: sides exchanged",
    kind: "swapped operands",
    find: "gruGates(x.matmul(W).add(b), h.matmul(U), bn)",
    replace: "gruGates(h.matmul(U), x.matmul(W).add(b), bn)",
  },
  {
    name: "gru: the candidate's bias forgotten",
    kind: "forgotten bias",
    find: "h.matmul(U), bn)",
    replace: "h.matmul(U), bn.mul(0))",
  },
  {
    name: "gru: nothing flows through the reset gate of the equations",
    kind: "lost gradient",
    find: "const r = xr.add(hr).sigmoid();",
    replace: "const r = xr.add(hr).sigmoid().detach();",
  },
  {
    name: "gru: nothing flows along the state",
    kind: "lost gradient",
    find: "bn), h);",
    replace: "bn), h.detach());",
  },
]);

const gruResetBefore = inFile("packages/rnn/src/cells/gruResetBefore.ts", [
  {
    name: "gruResetBefore: state and candidate exchanged",
    kind: "swapped operands",
    find: "n.add(z.mul(h.sub(n)))",
    replace: "h.add(z.mul(n.sub(h)))",
  },
  {
    name: "gruResetBefore: resets after the product",
    kind: "swapped operands",
    find: "r.mul(h).matmul(Un)",
    replace: "r.mul(h.matmul(Un))",
  },
  {
    name: "gruResetBefore: the reset gate as a constant",
    kind: "lost gradient",
    find: "r.mul(h).matmul(Un)",
    replace: "r.detach().mul(h).matmul(Un)",
  },
]);

const composed = [
  ...inFile("packages/rnn/src/sequences/unrollSteps.ts", [
    {
      name: "unroll: reversed outputs in the order of running",
      kind: "off by one in time",
      find: "outputs[t - 1] = output;",
      replace: "outputs[i] = output;",
    },
    {
      name: "unroll: always forwards",
      kind: "off by one in time",
      find: "const t = reverse ? count - i : i + 1;",
      replace: "const t = i + 1;",
    },
    {
      name: "unroll: the state given ignored",
      kind: "wrong state",
      find: "let state = from.state ?? from.start(warm);",
      replace: "let state = from.start(warm);",
    },
    {
      name: "unroll: every step from the first state",
      kind: "wrong state",
      find: "state = next;",
      replace: "",
    },
    {
      name: "unroll: nothing flows from step to step",
      kind: "lost gradient",
      find: "state = next;",
      replace: "state = detached(next);",
    },
    {
      name: "unroll: hands back the first state",
      kind: "wrong state",
      find: "return { outputs: stacked, state };",
      replace: "return { outputs: stacked, state: from.state ?? state };",
    },
  ]),
  ...inFile("packages/rnn/src/initial.ts", [
    {
      name: "initialState: zeros whatever the cell says",
      kind: "wrong state",
      find: "clone(row.broadcastTo([batch, ...row.shape]))",
      replace: "clone(row.sub(row).broadcastTo([batch, ...row.shape]))",
    },
  ]),
] satisfies Mutant[];

/** Bugs in cells, and in what runs them. */
export const cells: readonly Mutant[] = [
  ...convLstm,
  ...elman,
  ...lstm,
  ...gru,
  ...gruResetBefore,
  ...moreCells,
  ...composed,
];
