import { grad, type Tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import type { PlainCell } from "../draw.ts";
import { type Case, contraction, draw, law, results, run, type Subject } from "./subject.ts";

/** A step of fused ops is its equations in plain ones. */
export function statedEquations(subject: Subject): Law {
  const { params, state, equations } = subject.cell;
  return law(
    "equations",
    "results, gradients and second derivatives are those of the cell's equations in plain ops",
    2 ** -46,
    (seed, tally) => {
      if (equations === undefined) return undefined;
      const stated: PlainCell = { params, state, step: equations };
      const drawn: unknown = draw(subject, seed, { steps: 2 });
      const found = all(subject.cell, drawn, seed);
      const expected = all(stated, drawn, seed);
      for (const what of ["result", "gradient by", "second derivative by"] as const) {
        tally.trees(found[what], expected[what], `${what} `, "relative");
      }
      return tally;
    },
  );
}

/** What two steps give, the gradient of a sum of it, and the gradient of a sum of that. */
function all(
  cell: PlainCell,
  drawn: unknown,
  seed: number,
): Record<"result" | "gradient by" | "second derivative by", unknown> {
  const f = (at: unknown): Tensor => contraction(seed)(results(run(cell, at as Case)));
  const gradient = grad(f);
  return {
    result: results(run(cell, drawn as Case)),
    "gradient by": gradient(drawn),
    "second derivative by": grad((at: unknown) => contraction(seed + 1)(gradient(at)))(drawn),
  };
}
