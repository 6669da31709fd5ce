import { type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { compareSteps, draw, law, run, type Subject } from "./subject.ts";

/**
 * Stopping in the middle, running something else, and going on from a copy of the state is running
 * on: nothing is remembered elsewhere.
 */
export function stateIsAll(subject: Subject): Law {
  const { cell, steps } = subject;
  return law(
    "state is all",
    "running on from a copy of the state equals running through, bit by bit, whatever ran in between",
    0,
    (seed, tally) => {
      const drawn = draw(subject, seed);
      const { outputs, states } = run(cell, drawn);
      for (let t = 1; t < steps; t++) {
        const first = run(cell, { ...drawn, inputs: drawn.inputs.slice(0, t) });
        const state = tree.map(first.states[t - 1], (x: Tensor) => x.detach().clone());
        run(cell, draw(subject, seed + 1, { steps: 2 }));
        const rest = run(cell, { ...drawn, state, inputs: drawn.inputs.slice(t) });
        const whole = { outputs: outputs.slice(t), states: states.slice(t) };
        compareSteps(tally, rest, whole, `after a stop at step ${t}`, t + 1);
      }
      return tally;
    },
  );
}
