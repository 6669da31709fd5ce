import { Tape } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { NotLoopable } from "../../loop/notLoopable.ts";
import { type UnrollOptions, unroll } from "../../unroll.ts";
import { type Case, contraction, draw, law, type Subject } from "./subject.ts";

type How = Pick<UnrollOptions<unknown>, "compile" | "memory">;

/** A loop within a few states, or as plans, is nothing but steps. */
export function loops(subject: Subject): Law {
  const { cell } = subject;
  return law(
    "loop",
    "within the memory of two states, and as plans, a sequence has the values and gradients of step by step; a step that cannot is refused",
    1e-11,
    (seed, tally) => {
      const drawn = draw(subject, seed);
      const run = (how: How, reverse: boolean) => {
        const tape = new Tape();
        const watched = tape.watch(drawn) as Case;
        const { params, state, inputs } = watched;
        const found = unroll(cell, params, inputs, { state, reverse, rng: null, ...how });
        const loss = contraction(seed)(found);
        return { found, gradient: tape.tracks(loss) ? tape.gradient(loss, watched) : undefined };
      };
      for (const [how, reverse] of [
        [{ memory: { steps: 2 } }, true],
        [{ compile: true }, false],
      ] as const) {
        const expected = run({}, reverse);
        let loop: ReturnType<typeof run>;
        try {
          loop = run(how, reverse);
        } catch (error) {
          if (error instanceof NotLoopable) continue;
          throw error;
        }
        const where = `${JSON.stringify(how)}: `;
        tally.trees(loop.found, expected.found, where, "relative");
        if (expected.gradient === undefined) continue;
        tally.trees(loop.gradient, expected.gradient, `${where}gradient by `, "relative");
      }
      return tally;
    },
  );
}
