import { scope, type Tensor, valueAndGrad } from "@chronograd/autodiff";
import {
  adamW,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  dropout,
  init,
  initialize,
  linear,
  rng,
} from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { gru, initialParams, unroll } from "@chronograd/rnn";
import type { Head } from "./heads.ts";

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
  readonly head: Head;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly dropRate: number;
  readonly seed: number;
  /** Called after each epoch with its mean loss; returns true to stop. */
  readonly onEpoch?: (epoch: number, loss: number) => boolean;
}

/**
 * A trained network: from windows `[W, B, F]` to outputs `[B, outputs H]`, as its head has them.
 */
export type Network = (inputs: Tensor) => Tensor;

/**
 * A GRU that reads a window, and a linear map from its last state to what the head says about each
 * step of the horizon. The map begins with zeros, so the first forecast has the middle 0.
 */
export function trainNetwork(windows: Windows, options: NetworkOptions): Network {
  const { features, hidden, horizon, head, seed } = options;
  const cell = gru({ input: features, hidden });
  const outputs = head.outputs * horizon;
  const map = linear({ input: hidden, output: outputs });
  const drop = dropout({ rate: options.dropRate });
  let params = {
    cell: initialParams(cell, rng(seed, "gru")),
    map: initialize({ W: init.zeros(hidden, outputs), b: init.zeros(outputs) }, rng(seed, "map")),
  };
  const output = (p: typeof params, inputs: Tensor, masks?: ReturnType<typeof rng>) => {
    const { state } = unroll(cell, p.cell, inputs, { compile: true });
    return map.apply(p.map, drop.apply(state.h, masks));
  };
  const masks = rng(seed, "dropout");
  const lossOf = valueAndGrad((p: typeof params, inputs: Tensor, targets: Tensor) =>
    head.loss(output(p, inputs, masks), targets),
  );
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
