// The training of a speller: scheduled sampling, and Adam along one cycle of learning rates.
import { scope, type Tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  oneCycle,
  type Rng,
  rng,
} from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { distributedValueAndGrad, shardList } from "@chronograd/nn/parallel";
import { scheduledSampling } from "@chronograd/rnn/decode";
import { streamOfRows } from "../../ranks.ts";
import { batchOf } from "./batch.ts";
import type { Dictionary, Entry } from "./dictionary.ts";
import type { Batch, Params, Speller } from "./model.ts";

/** How long and how fast it learns. */
export interface Settings {
  readonly seed: number;
  readonly epochs: number;
  /** Words in a batch. */
  readonly size: number;
  /** The highest learning rate. */
  readonly rate: number;
  /** The share of true phonemes among the inputs of the decoder, at the end of the training. */
  readonly truth: number;
}

/** Where the training is after an update; the next one consumes the parameters. */
export interface Update {
  readonly params: Params;
  readonly epoch: number;
  /** From 1 on. */
  readonly index: number;
  /** Nats per phoneme. */
  readonly loss: number;
  readonly endsEpoch: boolean;
}

/**
 * All updates, one after another.
 *
 * @param communicator the ranks that share each batch, not more of them than words in one
 */
export async function* updates(
  model: Speller,
  { training, phonemes }: Dictionary,
  settings: Settings,
  communicator: Communicator,
): AsyncGenerator<Update, void> {
  const { seed, epochs, size, rate, truth } = settings;
  const perEpoch = Math.floor(training.length / size);
  const steps = epochs * perEpoch;
  const optimizer = chain({
    clip: clipByGlobalNorm(1),
    adam: adam({ learningRate: oneCycle({ peak: rate, steps, rising: 0.1 }) }),
  });
  const decode = (p: Params, batch: Batch, inputs: Tensor, noise?: Rng) =>
    model.decode(p, model.encode(p, batch.letters, batch.letterCounts, noise), inputs, noise);
  const order = rng(seed, "order");
  const [noise, own] = ["noise", "sampling"].map((name) => streamOfRows(seed, name, communicator));
  const lossOf = distributedValueAndGrad(
    (p: Params, batch: Batch, inputs: Tensor) =>
      crossEntropy(decode(p, batch, inputs, noise).logits, batch.targets),
    { communicator, weight: ({ lengths }) => lengths.reduce((a, b) => a + b) },
  );
  // Words of as many letters come together, and among these such of as many phonemes.
  const length = ({ word, pronunciations }: Entry) => 100 * word.length + pronunciations[0]!.length;

  let params = model.initial(seed);
  let state = optimizer.init(params);
  let index = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (const words of batches(training, { size, rng: order, length, dropLast: true })) {
      // From the middle of the training on, more and more inputs are the model's own.
      const keep = 1 - (1 - truth) * Math.max(0, (2 * index) / steps - 1);
      let loss = Number.NaN;
      [params, state] = scope(() => {
        const batch = batchOf(shardList(words, communicator), phonemes);
        const logits = (inputs: Tensor) => decode(params, batch, inputs).logits;
        const { inputs: given } = batch;
        const inputs = scheduledSampling({ inputs: given, logits, truth: keep, rng: own! });
        const [value, gradients] = lossOf(params, batch, inputs);
        loss = value;
        const [changes, next] = optimizer.update(gradients, state, params);
        return [applyUpdates(params, changes), next];
      });
      index++;
      // Ctrl-C arrives only between turns of the event loop.
      await new Promise(setImmediate);
      yield { params, epoch, index, loss, endsEpoch: index === epoch * perEpoch };
    }
  }
}
