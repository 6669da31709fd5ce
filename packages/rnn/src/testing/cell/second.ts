import { grad, type Tensor, tree } from "@chronograd/autodiff";
import { derivativeError, differences, type Law } from "@chronograd/autodiff/testing";
import { indexOf, largest, Tally } from "../tally.ts";
import {
  type Attempt,
  type Case,
  contraction,
  decided,
  draw,
  law,
  randomLike,
  results,
  run,
  type Subject,
} from "./subject.ts";

/** The gradient of a gradient is that of differences of the gradient. */
export function secondOrder(subject: Subject): Law {
  const { cell, tolerance } = subject;
  return law(
    "second order",
    "the gradient of <gradient, v> equals central differences of the gradient along v",
    tolerance,
    (seed) =>
      decided(subject, (attempt): Attempt => {
        const drawn: unknown = draw(subject, seed, { steps: 2, attempt });
        const f = (at: unknown): Tensor => contraction(seed)(results(run(cell, at as Case)));
        const gradient = grad(f);
        const along = contraction(seed + 1);
        const v = randomLike(drawn, seed + 1);
        const moved = (s: number): unknown =>
          tree.zip(drawn, v, (x, dx) => (x.dtype === "int32" ? x : x.add(dx.mul(s))));
        const found = elements(grad((at: unknown) => along(gradient(at)))(drawn));
        const h = 2 ** -11;
        const numeric = differences(
          (s) => elements(gradient(moved(s))).map(({ value }) => value),
          h,
        );
        const most = largest(numeric.values);
        // A small element of a gradient is a sum of terms as large as the large ones: each is
        // rounded, and differences divide that by h.
        const rounding =
          64 * Number.EPSILON * most + (4 * Number.EPSILON * largest(numeric.sizes)) / h;
        const tally = new Tally();
        let undecided: string | undefined;
        for (const [i, { place, value: g }] of found.entries()) {
          const [value, uncertainty] = [numeric.values[i]!, numeric.uncertainties[i]!];
          const [steepest, natural] = [numeric.steepest[i]!, numeric.sizes[i]!];
          const by = { value, uncertainty, steepest, natural };
          const error = derivativeError(g, by, most, tolerance, rounding);
          if (error === undefined) {
            undecided ??= `${place}: differences give ${value} +- ${uncertainty.toExponential(0)}`;
            continue;
          }
          tally.add(error, () => {
            return `by ${place}: the sweep of the recorded sweep gives ${g}, differences of the gradient ${value}`;
          });
        }
        return {
          error: tally.error,
          cases: tally.cases,
          ...(tally.what !== undefined && { what: tally.what }),
          ...(undecided !== undefined && { undecided }),
        };
      }),
  );
}

/** The numbers of a tree's float tensors, and where they stand. */
function elements(nested: unknown): { readonly place: string; readonly value: number }[] {
  return tree
    .leavesWithPath(nested)
    .flatMap(([path, x]) =>
      x.dtype === "int32"
        ? []
        : Array.from(x.toTypedArray(), (value, i) => ({ place: `${path}${indexOf(i, x)}`, value })),
    );
}
