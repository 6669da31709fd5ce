// Whether the number of ones so far is odd, the parity of Minsky & Papert 1969 over time: no window
// of the inputs answers it, but one bit of memory does.
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
