import { rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { halved, type Split } from "../../mnist.ts";
import { accuracyOf, reader, type Training, trained } from "./model.ts";

/** Steps of an image of half the size, which is read pixel by pixel. */
export const pixelSteps = 14 ** 2;

/** What came of a training in which the loss reaches k2 steps back. */
export interface Reach {
  readonly k2: number;
  /** The mean loss of the last epoch. */
  readonly loss: number;
  readonly accuracy: number;
  /** The time of the training. */
  readonly seconds: number;
}

/**
 * Trains GRUs that read images of half the size pixel by pixel in one drawn order, which differ in
 * k2 alone, from the smallest to the largest.
 */
export function* byPixels(
  split: Split,
  hidden: number,
  reaches: readonly number[],
  how: (k2: number) => Training,
): Generator<Reach> {
  const [training, heldOut] = [halved(split.training), halved(split.heldOut)];
  for (const k2 of reaches.toSorted((a, b) => a - b)) {
    const { seed, communicator, ...rest } = how(k2);
    // The order is one batch with all pixels.
    const pixels = [...training.pixels[0]!.keys()];
    const [order] = batches(pixels, { size: pixelSteps, rng: rng(seed, "pixels") });
    const model = reader({ hidden, width: 1, order: order!, k2, seed });
    const began = performance.now();
    const { params, loss } = trained(model, training, { seed, communicator, ...rest });
    const seconds = (performance.now() - began) / 1000;
    const accuracy = accuracyOf(model, params, heldOut, communicator);
    yield { k2, loss, accuracy, seconds };
  }
}
