import { Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { largest as largestOf, Tally } from "../tally.ts";
import { type Case, contraction, draw, law, results, run, type Subject } from "./subject.ts";

/** float32 gives what float64 gives for the same numbers, up to rounding. */
export function singlePrecision(subject: Subject): Law {
  return law(
    "float32",
    "results and gradients in float32 are near those in float64 of the same numbers",
    subject.float32,
    (seed) => {
      const single = cast(draw(subject, seed), "float32");
      const exact = evaluate(subject, cast(single, "float64"), seed);
      const rounded = evaluate(subject, single, seed);
      const tally = new Tally();
      for (const [path, x] of tree.leavesWithPath(rounded.results)) {
        if (x.dtype === "int32") continue;
        tally.check(x.dtype === "float32", () => `${path} is ${x.dtype}, from float32 arguments`);
      }
      tally.trees(floats(rounded.results), floats(exact.results), "in float32, ", "relative");
      // A gradient adds up many terms, so its rounding is measured by the largest.
      const largest = Math.max(
        ...tree.leaves(exact.gradients).map((g) => largestOf(g.toTypedArray())),
      );
      const where = "the float32 gradient by ";
      tally.trees(floats(rounded.gradients), floats(exact.gradients), where, largest);
      return tally.finding();
    },
  );
}

function cast(drawn: Case, dtype: "float32" | "float64"): Case {
  return tree.map(drawn, (x: Tensor) => (x.dtype === "int32" ? x : x.cast(dtype))) as Case;
}

function evaluate(
  { cell }: Subject,
  drawn: Case,
  seed: number,
): { results: unknown; gradients: unknown } {
  const tape = new Tape();
  const watched = tape.watch(drawn) as Case;
  const found = results(run(cell, watched));
  const loss = contraction(seed)(found);
  const gradients = tape.tracks(loss) ? tape.gradient(loss, watched) : {};
  return { results: found, gradients };
}

/** The float tensors of a tree by path: whole numbers may jump. */
function floats(values: unknown): Record<string, Tensor> {
  return Object.fromEntries(tree.leavesWithPath(values).filter(([, x]) => x.dtype !== "int32"));
}
