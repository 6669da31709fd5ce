import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in the variants of cells, and in attention. */
export const moreCells: readonly Mutant[] = [
  ...inFile("packages/rnn/src/cells/lstmPeephole.ts", [
    {
      name: "lstmPeephole: the output gate sees the memory before",
      kind: "off by one in time",
      find: "po.mul(cNext)",
      replace: "po.mul(c)",
    },
    {
      name: "lstmPeephole: peepholes exchanged",
      kind: "swapped operands",
      find: "zi.add(pi.mul(c))",
      replace: "zi.add(pf.mul(c))",
    },
    {
      name: "lstmPeephole: nothing flows through a peephole to the memory",
      kind: "lost gradient",
      find: "zf.add(pf.mul(c))",
      replace: "zf.add(pf.mul(c.detach()))",
    },
  ]),
  ...inFile("packages/rnn/src/cells/lstmCoupled.ts", [
    {
      name: "lstmCoupled: writes where it should keep",
      kind: "swapped operands",
      find: "g.add(zf.sigmoid().mul(c.sub(g)))",
      replace: "c.add(zf.sigmoid().mul(g.sub(c)))",
    },
    {
      name: "lstmCoupled: output gate and candidate exchanged",
      kind: "gate order",
      find: "const [zf, zg, zo]",
      replace: "const [zf, zo, zg]",
    },
  ]),
  ...inFile("packages/rnn/src/cells/lstmProjected.ts", [
    {
      name: "lstmProjected: projects the memory",
      kind: "swapped operands",
      find: "lstmOutput(gates, cNext).matmul(Whr)",
      replace: "cNext.matmul(Whr)",
    },
    {
      name: "lstmProjected: the projection as a constant",
      kind: "lost gradient",
      find: "lstmOutput(gates, cNext).matmul(Whr)",
      replace: "lstmOutput(gates, cNext).matmul(Whr.detach())",
    },
  ]),
  ...inFile("packages/rnn/src/cells/lstmLayerNorm.ts", [
    {
      name: "lstmLayerNorm: hands on the normalised memory",
      kind: "wrong state",
      find: "return [hNext, { h: hNext, c: cNext }];",
      replace: "return [hNext, { h: hNext, c: LN(cNext, normC) }];",
    },
    {
      name: "lstmLayerNorm: one normalisation of both sides",
      kind: "wrong function",
      find: "LN(x.matmul(W), normX).add(LN(h.matmul(U), normH))",
      replace: "LN(x.matmul(W).add(h.matmul(U)), normX).add(normH.bias)",
    },
  ]),
  ...inFile("packages/rnn/src/cells/mgu.ts", [
    {
      name: "mgu: resets after the product",
      kind: "swapped operands",
      find: "f.mul(h).matmul(Un)",
      replace: "f.mul(h.matmul(Un))",
    },
    {
      name: "mgu: the gate kept as a constant",
      kind: "lost gradient",
      find: "h.add(f.mul(n.sub(h)))",
      replace: "h.add(f.detach().mul(n.sub(h)))",
    },
  ]),
  ...inFile("packages/rnn/src/cells/irnn.ts", [
    {
      name: "irnn: tanh for relu",
      kind: "wrong function",
      find: '{ activation: "relu" }',
      replace: '{ activation: "tanh" }',
    },
  ]),
  ...inFile("packages/rnn/src/cells/attentionCell.ts", [
    {
      name: "attentionCell: the attention is not fed back",
      kind: "wrong state",
      find: "lstmGates(concat([x, attention], -1)",
      replace: "lstmGates(concat([x, h], -1)",
    },
    {
      name: "attentionCell: looks with the state before",
      kind: "off by one in time",
      find: "hNext.matmul(Wa).expandDims",
      replace: "h.matmul(Wa).expandDims",
    },
  ]),
  ...inFile("packages/nn/src/layers/dotProductAttention.ts", [
    {
      name: "attention: padding is scored",
      kind: "mask ignored",
      find: "where(taken, scores, -Infinity).softmax()",
      replace: "scores.softmax()",
    },
    {
      name: "attention: a row without a position gives NaN",
      kind: "guard lost",
      find: "where(mask.max(-1, { keepDims: true }), mask, 1)",
      replace: "mask",
    },
    {
      name: "attention: nothing flows through the weights",
      kind: "lost gradient",
      find: "read: weights.matmul(",
      replace: "read: weights.detach().matmul(",
    },
  ]),
];
