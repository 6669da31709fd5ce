import { tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";

/** Rows of one number in, one of two classes out. */
export const sizes = { input: 1, output: 2 };

/** Four rows of five numbers. What is asked for at every step is whether the first was positive. */
function sequence(seed: number, index: number) {
  const random = rng(seed, `sequence ${index}`);
  const x = Array.from({ length: 5 * 4 }, () => random.normal());
  return {
    inputs: tensor(x, { shape: [5, 4, 1] }),
    targets: tensor(
      Int32Array.from(x, (_, i) => (x[i % 4]! > 0 ? 1 : 0)),
      { shape: [5, 4] },
    ),
  };
}

/** What is learnt: 400 sequences. */
export function* batches(seed: number, position: number) {
  for (let index = position; index < 400; index++) yield sequence(seed, index);
}

/** What is held out. */
export function* heldOut() {
  for (let index = 0; index < 10; index++) yield sequence(12345, index);
}
