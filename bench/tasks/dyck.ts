// Dyck-1, the balanced brackets: at every step, whether a closing bracket may come next. To know it
// a network must count, as for the languages of Gers & Schmidhuber 2001 and of Suzgun et al. 2019.
import { bits } from "./kinds.ts";
import { emptyBatch, type Task } from "./task.ts";

/**
 * Brackets are a walk from 0: where none is open, one is opened; elsewhere one is opened or closed,
 * both equally likely. Depth 0 is reached at even steps alone, so only those have a loss.
 *
 * @param steps T, even
 */
export function dyck(steps: number): Task {
  const sizes = { steps, inputs: 1, outputs: 1, targets: 1, answers: steps / 2 };
  // The depth is |S_t| for a simple random walk S, so P(depth is 0 after 2m steps) is
  // C(2m, m) / 4^m, and "yes" is the better constant.
  let [probability, sum] = [1, 0];
  for (let m = 1; m <= steps / 2; m++) {
    probability *= (2 * m - 1) / (2 * m);
    sum += probability;
  }
  return {
    ...sizes,
    kind: bits,
    baseline: 1 - sum / (steps / 2),
    draw(draws, rows) {
      const batch = emptyBatch(sizes, rows);
      const { inputs, targets, weights } = batch;
      for (let row = 0; row < rows; row++) {
        let depth = 0;
        for (let t = 0; t < steps; t++) {
          const opens = depth === 0 || draws.integer(0, 2) === 0;
          depth += opens ? 1 : -1;
          const at = t * rows + row;
          inputs[at] = opens ? 1 : -1;
          targets[at] = depth > 0 ? 1 : 0;
          weights[at] = t % 2;
        }
      }
      return batch;
    },
  };
}
