// The public types as a program uses them; compiled strictly, declaration files included.
import {
  compile,
  dataParallel,
  grad,
  type Tensor,
  tensor,
  valueAndGrad,
} from "@chronograd/autodiff";
import { type OpDeclaration, opTable } from "@chronograd/autodiff/extend";
import { toNdarray } from "@chronograd/autodiff/ndarray";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { checkGradients } from "@chronograd/autodiff/testing";
import { init, rng, selfCommunicator } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { defineCell, gru, initialParams, truncated } from "@chronograd/rnn";
import { fromPyTorch, toPyTorch } from "@chronograd/rnn/pytorch";
import { testCell } from "@chronograd/rnn/testing";

const x: Tensor = tensor([[1, 2]]);
const shape: readonly number[] = x.add(1).square().sum(0).shape;
const derivative: Tensor = grad((y: Tensor) => y.square().sum())(x);
const [value, gradient]: [Tensor, Tensor] = valueAndGrad((y: Tensor) => y.sum())(x);
const entry: number = toNdarray(x).get(0, 1);
const rows: Tensor = shard(x, selfCommunicator);
const planned: Tensor = compile((y: Tensor) => y.tanh())(x);
const shared: Tensor = dataParallel((y: Tensor) => y.tanh(), { axis: 0, out: 0 })(x);
// @ts-expect-error: one axis for each argument.
dataParallel((y: Tensor) => y.tanh(), { axis: [0, null], out: 0 });
const names: string[] = opTable().map(({ name }) => name);
const declarations: OpDeclaration[] = [];
const isRight: boolean = checkGradients((y: Tensor) => y.square(), x.cast("float64")).ok;
const elman = defineCell({
  params: ({ hidden }: { readonly hidden: number }) => ({
    W: init.glorot(1, hidden),
    b: init.zeros(hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, b }, input: Tensor, { h }) => {
    const next = input.matmul(W).add(h).add(b).tanh();
    return [next, { h: next }];
  },
});
const cell = elman({ hidden: 3 });
const steps = [{ input: tensor([[1]]), target: tensor([[1]]) }];
const loss = (y: Tensor, target: Tensor): Tensor => y.mean().sub(target).square();
for (const window of truncated(cell, initialParams(cell, rng(1)), steps, {
  k1: 1,
  k2: 1,
  loss,
})) {
  const ofW: Tensor = window.gradients.W;
  // @ts-expect-error: the cell has no such parameter.
  window.gradients.U;
  ofW.toArray();
}
const gated = defineCell({
  choices: { activation: ["tanh", "relu"] },
  params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W }, row, { h }, { activation }) => {
    const chosen: "tanh" | "relu" = activation;
    const next = row.matmul(W).add(h)[chosen]();
    return [next, { h: next }];
  },
});
gated({ input: 1, hidden: 2 });
gated({ input: 1, hidden: 2, activation: "relu" });
const refused = [
  // @ts-expect-error: no such word.
  () => gated({ input: 1, hidden: 2, activation: "sin" }),
  // @ts-expect-error: no such option.
  () => gated({ input: 1, hidden: 2, activaton: "relu" }),
  // @ts-expect-error: a size is missing.
  () => gated({ input: 1 }),
];
const recurrent = gru({ input: 1, hidden: 2 });
const stateDict: Record<string, Tensor> = toPyTorch(initialParams(recurrent, rng(1)), recurrent);
const candidate: Tensor = fromPyTorch(stateDict, recurrent, { prefix: "" }).bn;
// @ts-expect-error: a tensor has no such method.
x.notAnOp();
// @ts-expect-error: a shape is no text.
const wrong: string = x.shape;

export {
  candidate,
  declarations,
  derivative,
  entry,
  gradient,
  isRight,
  names,
  planned,
  referenceKernels,
  refused,
  rows,
  shape,
  shared,
  testCell,
  value,
  wrong,
};
