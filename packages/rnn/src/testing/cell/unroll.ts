import { stack, Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Unrolled, unroll } from "../../unroll.ts";
import { Tally } from "../tally.ts";
import { type Case, contraction, draw, law, run, type Subject } from "./subject.ts";

/** Runs a case step by step, forwards or from the last step to the first, and stacks what it gives. */
function stepByStep({ cell }: Subject, drawn: Case, reverse: boolean): Unrolled<unknown, unknown> {
  const inputs = reverse ? drawn.inputs.toReversed() : drawn.inputs;
  const { outputs, states } = run(cell, { ...drawn, inputs });
  const columns = (reverse ? outputs.toReversed() : outputs).map(
    (y) => new Map(tree.leavesWithPath(y)),
  );
  const stacked: unknown = tree.map(outputs[0], (_: Tensor, path) =>
    stack(columns.map((column) => column.get(path)!)),
  );
  return { outputs: stacked, state: states.at(-1) };
}

function unrolled({ cell }: Subject, drawn: Case, reverse: boolean): Unrolled<unknown, unknown> {
  const { params, state, inputs } = drawn;
  return unroll(cell, params, inputs, { state, reverse });
}

/** `unroll` is nothing but steps. */
export function unrolls(subject: Subject): Law {
  return law(
    "unroll",
    "unroll equals step by step, bit by bit, forwards and in reverse",
    0,
    (seed) => {
      const drawn = draw(subject, seed);
      const tally = new Tally();
      for (const reverse of [false, true]) {
        const found = unrolled(subject, drawn, reverse);
        const where = reverse ? "unrolled in reverse: " : "unrolled: ";
        tally.trees(found, stepByStep(subject, drawn, reverse), where);
      }
      return tally.finding();
    },
  );
}

/** The gradient through `unroll` is that through the steps. */
export function unrollGradients(subject: Subject): Law {
  return law(
    "unroll gradients",
    "gradients through unroll equal those step by step",
    1e-12,
    (seed) => {
      const drawn = draw(subject, seed);
      const gradient = (through: typeof unrolled): unknown => {
        const tape = new Tape();
        const watched = tape.watch(drawn) as Case;
        const loss = contraction(seed)(through(subject, watched, false));
        return tape.tracks(loss) ? tape.gradient(loss, watched) : {};
      };
      const tally = new Tally();
      tally.trees(gradient(unrolled), gradient(stepByStep), "the gradient by ", "relative");
      return tally.finding();
    },
  );
}
