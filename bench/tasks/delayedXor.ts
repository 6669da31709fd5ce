// The delayed temporal exclusive or of Engelken 2023 ("Gradient flossing"): at every step that of
// the bits d and 2 d steps ago.
import { bits } from "./kinds.ts";
import { emptyBatch, type Task } from "./task.ts";

/** @param delay d */
export function delayedXor(delay: number, steps: number): Task {
  const sizes = { steps, inputs: 1, outputs: 1, targets: 1, answers: steps - 2 * delay };
  return {
    ...sizes,
    kind: bits,
    // The exclusive or of two fair and independent bits is a fair bit.
    baseline: 1 / 2,
    draw(draws, rows) {
      const batch = emptyBatch(sizes, rows);
      const { inputs, targets, weights } = batch;
      for (let i = 0; i < inputs.length; i++) inputs[i] = draws.integer(0, 2);
      for (let i = 2 * delay * rows; i < inputs.length; i++) {
        targets[i] = inputs[i - delay * rows]! === inputs[i - 2 * delay * rows] ? 0 : 1;
        weights[i] = 1;
      }
      return batch;
    },
  };
}
