import { type Tensor, tensor, valueAndGrad } from "@chronograd/autodiff";
import { type Communicator, crossEntropy, linear } from "@chronograd/nn";
import { unroll } from "@chronograd/rnn";
import { type Minibatch, readMinibatches } from "../minibatches.ts";
import { type Request, sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";
import { cells } from "./cells.ts";
import { compiles, isWhole } from "./configuration.ts";
import type { Experiment } from "./train.ts";
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

/** Classifies sequences by the state after each row's last step; all rows, or a worker's. */
export function classification(
  { config, problem }: Pick<Request, "config" | "problem">,
  communicator?: Communicator,
): Experiment<ClassifierParams, Sequences> {
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
  const batches = all.map((batch) => sequencesOf(batch, [T, B, I], communicator));
  const cell = cells[config.model as "lstm"]({ input: I, hidden: H });
  const head = linear({ input: H, output: C });
  const options = compiles && !isWhole ? { compile: true } : {};
  return {
    params: {
      cell: { W: weight("W"), U: weight("U"), b: weight("b") },
      head: { W: weight("headW"), b: weight("headb") },
    },
    batch: (i) => batches[i % batches.length]!,
    gradient(params, { x, target, ...marks }, weight = 1) {
      const loss = (now: ClassifierParams): Tensor => {
        const { state } = unroll(cell, now.cell, x, { ...options, ...marks });
        const mean = crossEntropy(head.apply(now.head, state.h), target);
        return weight === 1 ? mean : mean.mul(weight);
      };
      const [value, gradients] = valueAndGrad(loss)(params);
      return { loss: value, gradients };
    },
  };
}

/**
 * A batch as tensors. Workers take rows by turns, because lengths are sorted: so that each has as
 * many steps.
 */
function sequencesOf(
  { inputs, targets, lengths }: Minibatch,
  [T, B, I]: readonly [number, number, number],
  { rank, size }: { rank: number; size: number } = { rank: 0, size: 1 },
): Sequences {
  const own = (_: unknown, row: number): boolean => row % size === rank;
  const rows = Array.from({ length: B }, (_, row) => row).filter(own);
  const data = new Float32Array(T * rows.length * I);
  for (let t = 0; t < T; t++) {
    for (const [i, row] of rows.entries()) {
      const start = (t * B + row) * I;
      data.set(inputs.subarray(start, start + I), (t * rows.length + i) * I);
    }
  }
  return {
    x: tensor(data, { shape: [T, rows.length, I] }),
    target: tensor(targets.filter(own)),
    ...(lengths !== undefined && { lengths: tensor(lengths.filter(own)) }),
  };
}

/**
 * Training steps in float32: `unroll` plans the loop, or, as the configuration says, the whole step
 * is one plan, or none.
 */
export const minibatch: Maker = (request) => {
  const { params, batch, gradient } = classification(request);
  return training(params, batch, gradient, isWhole);
};
