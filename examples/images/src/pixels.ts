import { rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { halved, type Split } from "./digits.ts";
import { accuracyOf, reader, type Training, trained } from "./model.ts";

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
 * k2 alone; the last one reaches back to the first pixel.
 */
export function* byPixels(
  split: Split,
  hidden: number,
  how: (k2: number) => Training,
): Generator<Reach> {
  const [training, heldOut] = [halved(split.training), halved(split.heldOut)];
  const steps = training.side ** 2;
  for (const k2 of [steps / 14, steps / 4, steps / 2, steps]) {
    const { seed, ...rest } = how(k2);
    // The order is one batch with all pixels.
    const pixels = [...training.pixels[0]!.keys()];
    const [order] = batches(pixels, { size: steps, rng: rng(seed, "pixels") });
    const model = reader({ hidden, width: 1, order: order!, k2, seed });
    const began = performance.now();
    const { params, loss } = trained(model, training, { seed, ...rest });
    const seconds = (performance.now() - began) / 1000;
    yield { k2, loss, accuracy: accuracyOf(model, params, heldOut), seconds };
  }
}
