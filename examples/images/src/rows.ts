import { scope } from "@chronograd/autodiff";
import { type Communicator, rng } from "@chronograd/nn";
import type { Images, Split } from "../../mnist.ts";
import { shifted } from "./digits.ts";
import { accuracyOf, reader, regression, type Training, trained } from "./model.ts";
import type { ReadImage } from "./pictures.ts";

/** A GRU that reads images row by row, its accuracy, and four images as it read them. */
export function byRows({ training, heldOut }: Split, hidden: number, how: Training) {
  const { side } = training;
  // Each time an image is learned it is moved by up to two pixels.
  const move = rng(how.seed, "move");
  const augment = (image: Float32Array) =>
    shifted(image, side, move.integer(-2, 3), move.integer(-2, 3));
  const model = reader({ hidden, width: side, seed: how.seed });
  const { params } = trained(model, training, { ...how, augment });

  const shown = [0, 3, 5, 7].map((digit) => heldOut.pixels[heldOut.classes.indexOf(digit)]!);
  const probabilities = scope(
    () => model.stepwise(params, shown).softmax().transpose([1, 0, 2]).toArray() as number[][][],
  );
  const readings: ReadImage[] = shown.map((image, i) => ({
    image,
    side,
    probabilities: probabilities[i]!,
  }));
  return { accuracy: accuracyOf(model, params, heldOut, how.communicator), readings };
}

/** The accuracy of logistic regression on the pixels, and of one answer for all. */
export function baselines({ training, heldOut }: Split, seed: number, communicator: Communicator) {
  const model = regression(training.side ** 2, seed);
  const { params } = trained(model, training, {
    ...{ seed, communicator },
    epochs: 10,
    size: 100,
    rate: 3e-3,
  });
  return {
    "most frequent class": mostFrequent(training, heldOut),
    "logistic regression": accuracyOf(model, params, heldOut, communicator),
  };
}

function mostFrequent(training: Images, { classes }: Images): number {
  const count = (all: readonly number[], digit: number) => all.filter((x) => x === digit).length;
  const counts = Array.from({ length: 10 }, (_, digit) => count(training.classes, digit));
  return count(classes, counts.indexOf(Math.max(...counts))) / classes.length;
}
