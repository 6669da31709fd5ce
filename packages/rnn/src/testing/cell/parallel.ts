import { grad, type Tensor, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { unroll } from "../../unroll.ts";
import { type Case, contraction, draw, law, type Subject } from "./subject.ts";

/** A cell that is linear in its state gives for a sequence at once what its steps give. */
export function parallel(subject: Subject): Law {
  const { cell, batch, steps } = subject;
  return law(
    "parallel",
    "a sequence at once has the values and gradients of step by step, with marks, in both directions",
    1e-12,
    (seed, tally) => {
      if (cell.linear === undefined) return undefined;
      const drawn: unknown = draw(subject, seed);
      const random = rng(seed, "marks");
      const marks = (chance: number): Tensor => {
        const size = { length: steps * batch };
        const drawnMarks = Int32Array.from(size, () => Number(random.uniform() < chance));
        return tensor(drawnMarks, { shape: [steps, batch] });
      };
      for (const marked of [{}, { mask: marks(0.7), resets: marks(0.3) }]) {
        for (const reverse of [false, true]) {
          const run = (isParallel: boolean) => (at: unknown) => {
            const { params, state, inputs } = at as Case;
            const options = { state, reverse, parallel: isParallel, ...marked };
            return unroll(cell, params, inputs, options);
          };
          const gradient = (isParallel: boolean): unknown =>
            grad((at: unknown) => contraction(seed)(run(isParallel)(at)))(drawn);
          const where = reverse ? "in reverse: " : "";
          tally.trees(run(true)(drawn), run(false)(drawn), where, "relative");
          tally.trees(gradient(true), gradient(false), `${where}gradient by `, "relative");
        }
      }
      return tally;
    },
  );
}
