import { scope, type Tensor, valueAndGrad } from "@chronograd/autodiff";
import {
  adamW,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  dropout,
  gaussianNegativeLogLikelihood,
  init,
  initialize,
  linear,
  rng,
} from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { gru, initialParams, unroll } from "@chronograd/rnn";

/** Windows of features, and what follows each. */
export interface Windows {
  /** How many there are. */
  readonly count: number;
  /** Features `[W, B, F]` of some of them. */
  inputs(indices: readonly number[]): Tensor;
  /** What follows them, standardised, `[B, H]`. */
  targets(indices: readonly number[]): Tensor;
}

/** Sizes and budget of a network. */
export interface NetworkOptions {
  readonly features: number;
  readonly hidden: number;
  readonly horizon: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly dropRate: number;
  readonly seed: number;
  /** Called after each epoch with its mean loss; returns true to stop. */
  readonly onEpoch?: (epoch: number, loss: number) => boolean;
}

/** A trained network: means and log variances of what follows windows, each `[B, H]`. */
export type Network = (inputs: Tensor) => { readonly mean: Tensor; readonly logVariance: Tensor };

/**
 * A GRU that reads a window, and a linear head that gives a normal distribution for each step of
 * the horizon from its last state. The head begins with zeros, so the first forecast is that of
 * mean 0 and variance 1. Trained by the negative log-likelihood.
 */
export function trainNetwork(windows: Windows, options: NetworkOptions): Network {
  const { features, hidden, horizon, seed } = options;
  const cell = gru({ input: features, hidden });
  const head = linear({ input: hidden, output: 2 * horizon });
  const drop = dropout({ rate: options.dropRate });
  let params = {
    cell: initialParams(cell, rng(seed, "gru")),
    head: {
      W: initialize(init.zeros(hidden, 2 * horizon), rng(seed, "head")),
      b: initialize(init.zeros(2 * horizon), rng(seed, "head")),
    },
  };
  const output = (p: typeof params, inputs: Tensor, masks?: ReturnType<typeof rng>) => {
    const { state } = unroll(cell, p.cell, inputs, { compile: true });
    const [mean, logVariance] = head.apply(p.head, drop.apply(state.h, masks)).split(2, -1);
    return { mean: mean!, logVariance: logVariance! };
  };
  const masks = rng(seed, "dropout");
  const lossOf = valueAndGrad((p: typeof params, inputs: Tensor, targets: Tensor) => {
    const { mean, logVariance } = output(p, inputs, masks);
    return gaussianNegativeLogLikelihood(mean, logVariance.exp(), targets);
  });
  const { count } = windows;
  const steps = options.epochs * Math.ceil(count / options.batch);
  const { weightDecay, learningRate: initial } = options;
  const optimizer = chain({
    clip: clipByGlobalNorm(1),
    adam: adamW({ learningRate: cosineDecay({ initial, steps }), weightDecay }),
  });
  let state = optimizer.init(params);
  const order = rng(seed, "order");
  const all = Array.from({ length: count }, (_, i) => i);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    let sum = 0;
    for (const some of batches(all, { size: options.batch, rng: order })) {
      [params, state] = scope(() => {
        const [loss, gradients] = lossOf(params, windows.inputs(some), windows.targets(some));
        sum += loss.item() * some.length;
        const [updates, next] = optimizer.update(gradients, state, params);
        return [applyUpdates(params, updates), next];
      });
    }
    if (options.onEpoch?.(epoch + 1, sum / count)) break;
  }
  return (inputs) => output(params, inputs);
}
