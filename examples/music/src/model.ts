import { scope, type Tensor, where } from "@chronograd/autodiff";
import {
  binaryCrossEntropyFromLogits,
  dropout,
  initialize,
  linear,
  type Rng,
  rng,
} from "@chronograd/nn";
import { batches, padded } from "@chronograd/nn/data";
import { initialParams, lstm, unroll } from "@chronograd/rnn";
import { type Chorale, keys, rollOf } from "./chorales.ts";

/** What the model reads before the first chord. */
const silence = new Float32Array(keys);

/** How large the model is, and the share of the LSTM's outputs that the head does not see. */
export interface Sizes {
  readonly hidden: number;
  readonly dropout: number;
}

/** Chords in, a logit for each of the 88 keys out: whether it sounds in the next chord. */
export function choraleModel({ hidden, dropout: rate }: Sizes) {
  const cell = lstm({ input: keys, hidden });
  const head = linear({ input: hidden, output: keys });
  const drop = dropout({ rate });
  const initial = (seed: number) => ({
    cell: initialParams(cell, rng(seed, "cell")),
    head: initialize(head.params, rng(seed, "head")),
  });
  type Params = ReturnType<typeof initial>;

  /** The negative log-likelihood of every chord [T, B], 0 behind the end of a chorale. */
  function losses(params: Params, chorales: readonly Chorale[], random: Rng | null): Tensor {
    const rolls = chorales.map((chorale) => [silence, ...rollOf(chorale)]);
    const { values, lengths, mask } = padded(rolls);
    const [inputs, targets] = [values.slice([[0, -1]]), values.slice([[1]])];
    const { outputs } = unroll(cell, params.cell, inputs, {
      lengths: lengths.map((length) => length - 1),
      compile: true,
    });
    const logits = head.apply(params.head, drop.apply(outputs, random ?? undefined));
    const ofKeys = binaryCrossEntropyFromLogits(logits, targets, { reduction: "none" });
    return where(mask.slice([[1]]), ofKeys.sum(-1), 0);
  }
  return { cell, head, initial, losses };
}

export type ChoraleModel = ReturnType<typeof choraleModel>;
export type Params = ReturnType<ChoraleModel["initial"]>;

/**
 * The negative log-likelihood of a chord in nats, averaged over all chords of the set but the first
 * of each chorale, which no published model predicts (Bai, Kolter & Koltun 2018).
 */
export function evaluate(model: ChoraleModel, params: Params, chorales: readonly Chorale[]) {
  let sum = 0;
  for (const batch of batches(chorales, { size: 20, length: ({ length }) => length })) {
    sum += scope(() =>
      model
        .losses(params, batch, null)
        .slice([[1]])
        .sum()
        .item(),
    );
  }
  return sum / chorales.reduce((count, { length }) => count + length - 1, 0);
}
