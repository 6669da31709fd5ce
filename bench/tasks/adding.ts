// The adding problem (Hochreiter & Schmidhuber 1997), with one mark in each half as in Arjovsky,
// Shah & Bengio 2016: two marked numbers of T are to be added up at the last step.
import { numbers } from "./kinds.ts";
import { emptyBatch, type Task } from "./task.ts";

/** @param steps T, even */
export function adding(steps: number): Task {
  const sizes = { steps, inputs: 2, outputs: 1, targets: 1, answers: 1 };
  return {
    ...sizes,
    kind: numbers,
    // The sum has mean 1 and twice the variance 1/12 of a number that is uniform on [0, 1).
    baseline: 2 / 12,
    draw(draws, rows) {
      const batch = emptyBatch(sizes, rows);
      const { inputs, targets, weights } = batch;
      const last = (steps - 1) * rows;
      for (let row = 0; row < rows; row++) {
        for (let t = 0; t < steps; t++) inputs[(t * rows + row) * 2] = draws.uniform();
        const marked = [draws.integer(0, steps / 2), draws.integer(steps / 2, steps)];
        for (const t of marked) {
          inputs[(t * rows + row) * 2 + 1] = 1;
          targets[last + row]! += inputs[(t * rows + row) * 2]!;
        }
        weights[last + row] = 1;
      }
      return batch;
    },
  };
}
