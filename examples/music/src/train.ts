import { clone, scope, tree } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  rng,
} from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { distributedValueAndGrad, shardList } from "@chronograd/nn/parallel";
import { isSo, ofFirst, streamOfRows } from "../../ranks.ts";
import { type Chorale, type Chorales, transposed } from "./chorales.ts";
import { type ChoraleModel, evaluate, type Params } from "./model.ts";

/** How the model is trained. */
export interface Training {
  readonly seed: number;
  readonly epochs: number;
  /** Chorales in a batch. */
  readonly size: number;
  readonly rate: number;
  /** The share of chorales that are moved to another key, drawn anew in each epoch. */
  readonly transpose: number;
}

/** What an epoch came to, in nats per chord. */
export interface Epoch {
  readonly epoch: number;
  readonly train: number;
  readonly valid: number;
}

/**
 * Trains a model, and returns the parameters after the epoch that is best on the validation set.
 *
 * @param communicator the ranks that share each batch; the first one judges the epochs
 * @param see is told each epoch; `false` on the first rank ends the training
 */
export function train(
  model: ChoraleModel,
  data: Chorales,
  { seed, epochs, size, rate, transpose }: Training,
  communicator: Communicator,
  see: (epoch: Epoch) => boolean,
): Params {
  const steps = epochs * Math.ceil(data.train.length / size);
  const learningRate = cosineDecay({ initial: rate, final: rate / 50, steps });
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate }) });
  const [order, key] = [rng(seed, "order"), rng(seed, "keys")];
  const noise = streamOfRows(seed, "noise", communicator);
  const chordsOf = (some: readonly Chorale[]) =>
    some.reduce((count, { length }) => count + length, 0);
  const lossOf = distributedValueAndGrad(
    (p: Params, some: readonly Chorale[]) => model.losses(p, some, noise).sum().div(chordsOf(some)),
    { communicator, weight: chordsOf },
  );

  let params = model.initial(seed);
  let state = optimizer.init(params);
  let best = { valid: Number.POSITIVE_INFINITY, params };
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const losses: number[] = [];
    for (const chorales of batches(data.train, { size, rng: order, length: (c) => c.length })) {
      // Every rank draws for all, so that nothing depends on the number of ranks.
      const batch = chorales.map((c) =>
        key.uniform() < transpose ? transposed(c, key.integer(-5, 7)) : c,
      );
      [params, state] = scope(() => {
        const [loss, gradients] = lossOf(params, shardList(batch, communicator));
        losses.push(loss);
        const [updates, next] = optimizer.update(gradients, state, params);
        return [applyUpdates(params, updates), next];
      });
    }
    const valid = ofFirst(communicator, () => evaluate(model, params, data.valid));
    // The next update consumes the parameters.
    if (valid < best.valid) best = { valid, params: tree.map(params, clone) };
    const mean = losses.reduce((a, b) => a + b) / losses.length;
    const goesOn = see({ epoch, train: mean, valid });
    if (!isSo(communicator, () => goesOn)) break;
  }
  return best.params;
}
