import { inFile, type Mutant } from "./mutant.ts";

const step = inFile("packages/rnn/src/estimators/forward/forwardStep.ts", [
  {
    name: "forward: nothing is credited to earlier steps",
    kind: "lost gradient",
    find: "sum = sum.add(paramsVector(direct.params)).add(earlier);",
    replace: "sum = sum.add(paramsVector(direct.params));",
  },
  {
    name: "forward: the influence after the step in place of that before",
    kind: "off by one in time",
    find: "const earlier = this.influence.credit(carried, rowsVector(direct.state));",
    replace:
      "const earlier = this.influence.credit(this.influence.next(carried, new Transition(cell, params, step, state), signs), rowsVector(direct.state));",
  },
]);

const parts = [
  ...inFile("packages/rnn/src/derivatives/sparsity.ts", [
    {
      name: "sparsity: a masked step changes the state",
      kind: "lost gradient",
      find: "for (let i = 0; i < H; i++) transition[i * (H + 1)] = 1;",
      replace: "",
    },
    {
      name: "sparsity: two numbers of one parameter in one group",
      kind: "guard lost",
      find: "value === 0 || each[p] === 0",
      replace: "value === 0 || each[p] === 0 || p > 0",
    },
  ]),
  ...inFile("packages/rnn/src/estimators/forward/uoro.ts", [
    {
      name: "uoro: the scale of the signs is not taken back",
      kind: "factor",
      find: "v: earlierV.add(ownV)",
      replace: "v: earlierV.add(pulled)",
    },
  ]),
  ...inFile("packages/rnn/src/estimators/forward/kfRtrl.ts", [
    {
      name: "kfRtrl: no random sign",
      kind: "sign",
      find: "const sign = signs.slice([i]);",
      replace: "const sign = signs.slice([i]).square();",
    },
  ]),
  ...inFile("packages/rnn/src/derivatives/rows.ts", [
    {
      name: "derivatives: each copy of a batch fills its own masked rows twice",
      kind: "mask ignored",
      find: "return concat([first, zeros([(count - 1) * size], { dtype, backend })]);",
      replace: "return first.tile([count]);",
    },
  ]),
];

export const forwardMutants: readonly Mutant[] = [...step, ...parts];
