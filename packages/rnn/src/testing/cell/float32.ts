import { type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { largest as largestOf } from "../tally.ts";
import { type Case, draw, gradientOf, law, results, run, type Subject } from "./subject.ts";

/** float32 gives what float64 gives for the same numbers, up to rounding. */
export function singlePrecision(subject: Subject): Law {
  const { cell, float32 } = subject;
  return law(
    "float32",
    "results and gradients in float32 are near those in float64 of the same numbers",
    float32,
    (seed, tally) => {
      const single = cast(draw(subject, seed), "float32");
      const double = cast(single, "float64");
      const [rounded, exact] = [single, double].map((drawn) => floats(results(run(cell, drawn))));
      for (const [path, x] of Object.entries(rounded!)) {
        tally.check(x.dtype === "float32", () => `${path} is ${x.dtype}, from float32 arguments`);
      }
      tally.trees(rounded, exact, "in float32, ", "relative");
      const gradients = [single, double].map((drawn) => floats(gradientOf(cell, drawn, seed)));
      // A gradient adds up many terms, so its rounding is measured by the largest.
      const largest = Math.max(
        ...tree.leaves(gradients[1]).map((g) => largestOf(g.toTypedArray())),
      );
      tally.trees(gradients[0], gradients[1], "the float32 gradient by ", largest);
      return tally;
    },
  );
}

function cast(drawn: Case, dtype: "float32" | "float64"): Case {
  return tree.map(drawn, (x: Tensor) => (x.dtype === "int32" ? x : x.cast(dtype))) as Case;
}

/** The float tensors of a tree by path: whole numbers may jump. */
function floats(values: unknown): Record<string, Tensor> {
  return Object.fromEntries(tree.leavesWithPath(values).filter(([, x]) => x.dtype !== "int32"));
}
