import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  crossEntropy,
  initialize,
  linear,
  rng,
} from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { accuracy } from "@chronograd/nn/metrics";
import { distributedValueAndGrad, shardList } from "@chronograd/nn/parallel";
import { gru, initialParams, unroll } from "@chronograd/rnn";
import type { Images } from "../../mnist.ts";
import { ofFirst } from "../../ranks.ts";

/** Parameters, whatever their names are. */
interface Weights {
  readonly [name: string]: Tensor | Weights;
}

/** A model from images to logits of the ten classes. */
export interface Classifier<Params> {
  readonly params: Params;
  logits(params: Params, images: readonly Float32Array[]): Tensor;
}

/** An image, and its class. */
interface Example {
  readonly image: Float32Array;
  readonly right: number;
}

/** How a model is trained. */
export interface Training {
  readonly seed: number;
  readonly epochs: number;
  readonly size: number;
  readonly rate: number;
  /** The ranks that share each batch. */
  readonly communicator: Communicator;
  /** Changes an image before it is learned. */
  augment?(image: Float32Array): Float32Array;
  report?(epoch: number, loss: number): void;
}

/**
 * Sequences [T, B, I] of images: T steps of I pixels each, in the order of the pixels or in
 * another.
 */
export function sequences(
  images: readonly Float32Array[],
  width: number,
  order?: readonly number[],
) {
  const [rows, size] = [images.length, images[0]!.length];
  const values = new Float32Array(rows * size);
  for (let i = 0; i < size; i++) {
    const [t, column] = [Math.floor(i / width), i % width];
    const pixel = order?.[i] ?? i;
    for (let row = 0; row < rows; row++) {
      values[(t * rows + row) * width + column] = images[row]![pixel]!;
    }
  }
  return tensor(values, { shape: [size / width, rows, width] });
}

/** What a GRU reads, and how far its gradient reaches back. */
export interface Reading {
  readonly hidden: number;
  /** Pixels of a step. */
  readonly width: number;
  readonly order?: readonly number[];
  /** Steps before the end that the loss reaches; all unless given. */
  readonly k2?: number;
  readonly seed: number;
}

/**
 * A GRU that reads an image and says the class at its end. With `k2` the state k2 steps before
 * the end is a constant, as in the last window of truncated back-propagation.
 */
export function reader({ hidden, width, order, k2, seed }: Reading) {
  const cell = gru({ input: width, hidden });
  const head = linear({ input: hidden, output: 10 });
  const params = {
    cell: initialParams(cell, rng(seed, "cell")),
    head: initialize(head.params, rng(seed, "head")),
  };
  type Params = typeof params;
  const run = (p: Params, images: readonly Float32Array[]) => {
    const inputs = sequences(images, width, order);
    const burnIn = inputs.shape[0]! - (k2 ?? inputs.shape[0]!);
    return unroll(cell, p.cell, inputs, { compile: true, burnIn });
  };
  return {
    params,
    logits: (p: Params, images: readonly Float32Array[]) =>
      head.apply(p.head, run(p, images).state.h),
    /** The logits after each step, [T, B, 10]. */
    stepwise: (p: Params, images: readonly Float32Array[]) =>
      head.apply(p.head, run(p, images).outputs),
  };
}

/** Logistic regression on the pixels. */
export function regression(pixels: number, seed: number) {
  const layer = linear({ input: pixels, output: 10 });
  return {
    params: initialize(layer.params, rng(seed, "regression")),
    logits: (p: { W: Tensor; b: Tensor }, images: readonly Float32Array[]) =>
      layer.apply(p, sequences(images, pixels).reshape([images.length, pixels])),
  };
}

/** Trains a classifier by Adam; the parameters, and the mean loss of the last epoch. */
export function trained<Params>(
  classifier: Classifier<Params>,
  { pixels, classes }: Images,
  training: Training,
): { readonly params: Params; readonly loss: number } {
  const { seed, epochs, size, rate, communicator, augment = (image) => image, report } = training;
  const { params: initial, logits } = classifier as unknown as Classifier<Weights>;
  const perEpoch = Math.ceil(pixels.length / size);
  const learningRate = cosineDecay({ initial: rate, final: rate / 50, steps: epochs * perEpoch });
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate }) });
  const lossOf = distributedValueAndGrad(
    (p: Weights, some: readonly Example[]) => {
      const images = some.map(({ image }) => image);
      return crossEntropy(
        logits(p, images),
        some.map(({ right }) => right),
      );
    },
    { communicator, weight: (some) => some.length },
  );
  const order = rng(seed, "order");
  let params = initial;
  let state = optimizer.init(params);
  let loss = Number.NaN;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (const batch of batches([...pixels.keys()], { size, rng: order })) {
      [params, state] = scope(() => {
        // Every rank draws for all, so that nothing depends on the number of ranks.
        const all = batch.map((i) => ({ image: augment(pixels[i]!), right: classes[i]! }));
        const [value, gradients] = lossOf(params, shardList(all, communicator));
        sum += value;
        const [updates, next] = optimizer.update(gradients, state, params);
        return [applyUpdates(params, updates), next];
      });
    }
    loss = sum / perEpoch;
    report?.(epoch, loss);
  }
  return { params: params as Params, loss };
}

/** The share of images whose class the model says, as the first rank finds it. */
export function accuracyOf<Params>(
  { logits }: Classifier<Params>,
  params: Params,
  { pixels, classes }: Images,
  communicator: Communicator,
): number {
  return ofFirst(communicator, () => {
    const said: number[] = [];
    for (const batch of batches(pixels, { size: 200 })) {
      scope(() => void said.push(...logits(params, batch).argmax(-1).toTypedArray()));
    }
    return accuracy(said, classes);
  });
}
