// The copying memory problem (Hochreiter & Schmidhuber 1997; in this form Arjovsky, Shah & Bengio
// 2016): symbols, a delay, a signal, and then the symbols are to be said again.
import { classes } from "./kinds.ts";
import { emptyBatch, type Task } from "./task.ts";

/** The alphabet of Arjovsky, Shah & Bengio. */
const symbols = 8;

/**
 * @param length how many symbols are to be remembered
 * @param delay steps from the last of them to the signal, which is part of it
 */
export function copying(length: number, delay: number): Task {
  const steps = length + delay + length;
  // Also a blank and the signal.
  const sizes = { steps, inputs: symbols + 2, outputs: symbols, targets: 1, answers: length };
  const [blank, signal] = [symbols, symbols + 1];
  return {
    ...sizes,
    kind: classes,
    baseline: Math.log(symbols),
    draw(draws, rows) {
      const batch = emptyBatch(sizes, rows);
      const { inputs, targets, weights } = batch;
      for (let row = 0; row < rows; row++) {
        for (let t = 0; t < steps; t++) {
          const symbol = t < length ? draws.integer(0, symbols) : undefined;
          const shown = symbol ?? (t === length + delay - 1 ? signal : blank);
          inputs[(t * rows + row) * sizes.inputs + shown] = 1;
          if (symbol === undefined) continue;
          const at = (t + length + delay) * rows + row;
          targets[at] = symbol;
          weights[at] = 1;
        }
      }
      return batch;
    },
  };
}
