import { Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { truncated } from "../../truncated/truncated.ts";
import { Tally } from "../tally.ts";
import { contraction, draw, law, run, type Subject } from "./subject.ts";

/** Windows that reach back to the beginning add up to full back-propagation. */
export function truncates(subject: Subject): Law {
  const { cell, steps } = subject;
  return law(
    "truncated",
    `with k2 >= T the windows of truncated add up to full back-propagation through time`,
    1e-12,
    (seed) => {
      const { params, state, inputs } = draw(subject, seed);
      if (tree.leaves(params).every((x) => x.dtype === "int32")) return undefined;
      const loss = (y: unknown, t: number): Tensor => contraction(seed + t)(y);
      const tape = new Tape();
      const watched = tape.watch(params);
      const { outputs } = run(cell, { params: watched, state, inputs });
      const losses = outputs.map((y, t) => loss(y, t)).filter((l) => tape.tracks(l));
      // A step whose loss no parameter reaches is one that truncated has no use for.
      if (losses.length < steps) return undefined;
      const full = tape.gradient(losses, watched);
      const tally = new Tally();
      for (const stale of ["carry", "recompute", "defer"] as const) {
        const k1 = 1 + (Math.abs(seed) % steps);
        const stream = inputs.map((input, target) => ({ input, target }));
        const options = { k1, k2: steps, stale, state, loss };
        let sum: unknown;
        for (const { gradients } of truncated(cell, params, stream, options)) {
          const before = sum;
          sum =
            before === undefined
              ? tree.map(gradients, (g: Tensor) => g.clone())
              : tree.zip(before, gradients, (a, b) => (a.dtype === "int32" ? a : a.add(b).clone()));
        }
        const where = `stale "${stale}", k1 ${k1}: the sum of the windows' gradients by params`;
        tally.trees(sum, full, where, "relative");
      }
      return tally.finding();
    },
  );
}
