// A dependency at one lag and at no other: a marked bit among distractors is to be said again
// exactly `lag` steps later, after the latch problem of Bengio, Simard & Frasconi 1994.
import { bits } from "./kinds.ts";
import { emptyBatch, type Task } from "./task.ts";

/**
 * Every step shows a bit as -1 or 1. A mark stands at one of the first T - lag, and a question
 * `lag` steps after it.
 */
export function lagged(lag: number, steps: number): Task {
  const sizes = { steps, inputs: 3, outputs: 1, targets: 1, answers: 1 };
  return {
    ...sizes,
    kind: bits,
    baseline: 1 / 2,
    draw(draws, rows) {
      const batch = emptyBatch(sizes, rows);
      const { inputs, targets, weights } = batch;
      for (let row = 0; row < rows; row++) {
        const marked = draws.integer(0, steps - lag);
        for (let t = 0; t < steps; t++) {
          const at = t * rows + row;
          const bit = draws.integer(0, 2);
          inputs[at * 3] = 2 * bit - 1;
          inputs[at * 3 + 1] = t === marked ? 1 : 0;
          inputs[at * 3 + 2] = t === marked + lag ? 1 : 0;
          if (t !== marked) continue;
          targets[at + lag * rows] = bit;
          weights[at + lag * rows] = 1;
        }
      }
      return batch;
    },
  };
}
