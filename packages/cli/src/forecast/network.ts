import { scope, type Tensor } from "@chronograd/autodiff";
import {
  adamW,
  applyUpdates,
  type Communicator,
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
import { distributedValueAndGrad, shardList } from "@chronograd/nn/parallel";
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
  /** The ranks that share the windows of each batch. */
  readonly communicator: Communicator;
  /** Called after each epoch with its mean loss; returns true to stop, on the first rank. */
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
  const { features, hidden, horizon, head, seed, communicator } = options;
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
  const { rank } = communicator;
  // Each rank draws for its own rows.
  const masks = rng(seed, rank === 0 ? "dropout" : `dropout of rank ${rank}`);
  const lossOf = distributedValueAndGrad(
    (p: typeof params, some: readonly number[]) =>
      head.loss(output(p, windows.inputs(some), masks), windows.targets(some)),
    { communicator, weight: (some) => some.length },
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
        const [loss, gradients] = lossOf(params, shardList(some, communicator));
        sum += loss * some.length;
        const [updates, next] = optimizer.update(gradients, state, params);
        return [applyUpdates(params, updates), next];
      });
    }
    const isOver = options.onEpoch?.(epoch + 1, sum / count) ?? false;
    if (communicator.broadcast(Number(isOver)) === 1) break;
  }
  return (inputs) => output(params, inputs);
}
