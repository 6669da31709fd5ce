import { stack, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { unroll } from "../../unroll.ts";
import { draw, law, run, type Subject } from "./subject.ts";

/** `unroll` is nothing but steps. */
export function unrolls({ cell, ...subject }: Subject): Law {
  return law(
    "unroll",
    "unroll equals step by step, bit by bit, forwards and in reverse",
    0,
    (seed, tally) => {
      const { params, state, inputs } = draw({ cell, ...subject }, seed);
      for (const reverse of [false, true]) {
        // First, so that what a step keeps for the next is gone with the step.
        const found = unroll(cell, params, inputs, { state, reverse, rng: null });
        const ordered = (list: readonly unknown[]) => (reverse ? list.toReversed() : list);
        const { outputs, states } = run(cell, { params, state, inputs: ordered(inputs) });
        const columns = ordered(outputs).map((y) => new Map(tree.leavesWithPath(y)));
        const stacked = tree.map(outputs[0], (_: Tensor, path) =>
          stack(columns.map((column) => column.get(path)!)),
        );
        const where = reverse ? "unrolled in reverse: " : "unrolled: ";
        tally.trees(found, { outputs: stacked, state: states.at(-1) }, where);
      }
      return tally;
    },
  );
}
