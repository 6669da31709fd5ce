import { clone, scope, tree, valueAndGrad } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm, cosineDecay, rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
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
 * @param see is told each epoch; `false` ends the training
 */
export function train(
  model: ChoraleModel,
  data: Chorales,
  { seed, epochs, size, rate, transpose }: Training,
  see: (epoch: Epoch) => boolean,
): Params {
  const steps = epochs * Math.ceil(data.train.length / size);
  const learningRate = cosineDecay({ initial: rate, final: rate / 50, steps });
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate }) });
  const [order, noise, key] = [rng(seed, "order"), rng(seed, "noise"), rng(seed, "keys")];
  const lossOf = valueAndGrad((p: Params, batch: readonly Chorale[]) => {
    const chords = batch.reduce((count, { length }) => count + length, 0);
    return model.losses(p, batch, noise).sum().div(chords);
  });

  let params = model.initial(seed);
  let state = optimizer.init(params);
  let best = { valid: Number.POSITIVE_INFINITY, params };
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const losses: number[] = [];
    for (const chorales of batches(data.train, { size, rng: order, length: (c) => c.length })) {
      const batch = chorales.map((c) =>
        key.uniform() < transpose ? transposed(c, key.integer(-5, 7)) : c,
      );
      [params, state] = scope(() => {
        const [loss, gradients] = lossOf(params, batch);
        losses.push(loss.item());
        const [updates, next] = optimizer.update(gradients, state, params);
        return [applyUpdates(params, updates), next];
      });
    }
    const valid = evaluate(model, params, data.valid);
    // The next update consumes the parameters.
    if (valid < best.valid) best = { valid, params: tree.map(params, clone) };
    const mean = losses.reduce((a, b) => a + b) / losses.length;
    if (!see({ epoch, train: mean, valid })) break;
  }
  return best.params;
}
