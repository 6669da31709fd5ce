import { type Tensor, tensor, valueAndGrad } from "@chronograd/autodiff";
import { crossEntropy, linear } from "@chronograd/nn";
import { unroll } from "@chronograd/rnn";
import { type Minibatch, readMinibatches } from "../minibatches.ts";
import { sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";
import { cells } from "./cells.ts";
import { compiles, isShared, isWhole, threading } from "./configuration.ts";
import { training } from "./training.ts";

/** The parameters of a minibatch case. */
export interface ClassifierParams {
  readonly cell: Readonly<Record<"W" | "U" | "b", Tensor>>;
  readonly head: { readonly W: Tensor; readonly b: Tensor };
}

/** Dense inputs `[T,B,I]`, classes `[B]`, and the lengths `[B]` of ragged rows. */
export interface Sequences {
  readonly x: Tensor;
  readonly target: Tensor;
  readonly lengths?: Tensor;
}

/**
 * Training steps in float32 that classify sequences by the state after each row's last step:
 * `unroll` plans the loop, or, as the configuration says, the whole step is one plan, or none.
 */
export const minibatch: Maker = ({ config, problem }) => {
  const [T, B, I, H, C] = ["T", "B", "I", "H", "C"].map((name) => sizeOf(config, name)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const { weights, all } = readMinibatches(problem);
  const weight = (name: string): Tensor => {
    const { data, shape } = weights[name]!;
    return tensor(data, { shape });
  };
  const batches = all.map(
    ({ inputs, targets, lengths }: Minibatch): Sequences => ({
      x: tensor(inputs, { shape: [T, B, I] }),
      target: tensor(targets),
      ...(lengths !== undefined && { lengths: tensor(lengths) }),
    }),
  );
  const cell = cells[config.model as "lstm"]({ input: I, hidden: H });
  const head = linear({ input: H, output: C });
  const options = compiles && !isWhole && !isShared ? { compile: true, ...threading } : {};
  const params: ClassifierParams = {
    cell: { W: weight("W"), U: weight("U"), b: weight("b") },
    head: { W: weight("headW"), b: weight("headb") },
  };
  return training(
    { params, carried: {} },
    (i) => batches[i % batches.length]!,
    (params: ClassifierParams, carried: object, { x, target, ...marks }: Sequences) => {
      const loss = (now: ClassifierParams): Tensor => {
        const { state } = unroll(cell, now.cell, x, { ...options, ...marks });
        return crossEntropy(head.apply(now.head, state.h), target);
      };
      const [value, gradients] = valueAndGrad(loss)(params);
      return { loss: value, gradients, carried };
    },
    {
      axis: [null, null, { x: 1, target: 0, ...(all[0]!.lengths && { lengths: 0 }) }],
      out: { loss: "mean", gradients: "mean", carried: null },
    },
  );
};
