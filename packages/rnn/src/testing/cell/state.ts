import { type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { Tally } from "../tally.ts";
import { draw, law, run, type Subject } from "./subject.ts";

/**
 * Stopping in the middle, running something else, and going on from a copy of the state is running on: nothing is
 * remembered elsewhere.
 */
export function stateIsAll(subject: Subject): Law {
  return law(
    "state is all",
    "running on from a copy of the state equals running through, bit by bit, whatever ran in between",
    0,
    (seed) => {
      const { cell, steps } = subject;
      const drawn = draw(subject, seed);
      const whole = run(cell, drawn);
      const tally = new Tally();
      for (let t = 1; t < steps; t++) {
        const first = run(cell, { ...drawn, inputs: drawn.inputs.slice(0, t) });
        const state = tree.map(first.states[t - 1], (x: Tensor) => x.detach().clone());
        run(cell, draw(subject, seed + 1, { steps: 2 }));
        const second = run(cell, { ...drawn, state, inputs: drawn.inputs.slice(t) });
        for (let i = t; i < steps; i++) {
          const where = `after a stop at step ${t}, at step ${i + 1} the`;
          tally.trees(second.outputs[i - t], whole.outputs[i], `${where} output`);
          tally.trees(second.states[i - t], whole.states[i], `${where} state`);
        }
      }
      return tally.finding();
    },
  );
}
