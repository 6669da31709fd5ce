import { inFile, type Mutant } from "./mutant.ts";

const scan = inFile("packages/rnn/src/linear/scan.ts", [
  {
    name: "scan: a row without a step forgets its state",
    kind: "mask ignored",
    find: "a = where(rowWise(mask, a), a, unit(initial, complex));",
    replace: "a = where(rowWise(mask, a), a, 0);",
  },
  {
    name: "scan: a row without a step takes in its input",
    kind: "mask ignored",
    find: "b = zeroRows(mask, b);",
    replace: "",
  },
  {
    name: "scan: a row that begins afresh goes on",
    kind: "boundary not cut",
    find: "a = where(isFresh, 0, a);",
    replace: "",
  },
  {
    name: "scan: in reverse, the last state is that of the last step",
    kind: "wrong state",
    find: "h.slice([reverse ? 0 : steps - 1])",
    replace: "h.slice([steps - 1])",
  },
]);

const cells: readonly Mutant[] = [
  ...inFile("packages/rnn/src/cells/minGru.ts", [
    {
      name: "minGru: z and 1 - z exchanged",
      kind: "gate order",
      find: "{ a: z.neg().sigmoid(), b: z.sigmoid().mul(n) }",
      replace: "{ a: z.sigmoid(), b: z.neg().sigmoid().mul(n) }",
    },
  ]),
  ...inFile("packages/rnn/src/cells/minLstm.ts", [
    {
      name: "minLstm: gates i and f exchanged",
      kind: "gate order",
      find: "const [i, f, g]",
      replace: "const [f, i, g]",
    },
  ]),
  ...inFile("packages/rnn/src/cells/lru.ts", [
    {
      name: "lru: eigenvalues turn the other way",
      kind: "sign",
      find: "radius.mul(phase.sin())",
      replace: "radius.mul(phase.sin()).neg()",
    },
    {
      name: "lru: gamma forgotten",
      kind: "factor",
      find: "x.matmul(B).mul(concat([gamma, gamma]))",
      replace: "x.matmul(B)",
    },
    {
      name: "lru: the input does not skip the state",
      kind: "forgotten term",
      find: "h.matmul(C).add(x.mul(D))",
      replace: "h.matmul(C).add(D)",
    },
  ]),
];

/** Bugs in cells that are linear in their state, and in the scan over a whole sequence. */
export const linear: readonly Mutant[] = [...scan, ...cells];
