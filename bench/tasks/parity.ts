// Whether the number of ones so far is odd: the smallest problem that no finite window of its
// inputs answers (Minsky & Papert 1969 for sets; as a sequence Rumelhart, Hinton & Williams 1986).
import { bits } from "./kinds.ts";
import { emptyBatch, type Task } from "./task.ts";

export function parity(steps: number): Task {
  const sizes = { steps, inputs: 1, outputs: 1, targets: 1, answers: steps };
  return {
    ...sizes,
    kind: bits,
    // The exclusive or of fair and independent bits is a fair bit.
    baseline: 1 / 2,
    draw(draws, rows) {
      const batch = emptyBatch(sizes, rows);
      const { inputs, targets, weights } = batch;
      for (let i = 0; i < inputs.length; i++) {
        inputs[i] = draws.integer(0, 2);
        const before = i < rows ? 0 : targets[i - rows]!;
        targets[i] = before === inputs[i] ? 0 : 1;
      }
      weights.fill(1);
      return batch;
    },
  };
}
