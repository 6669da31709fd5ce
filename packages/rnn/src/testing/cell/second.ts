import { grad, hvp, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { derivativeError, differences } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { indexOf, largest, Tally } from "../tally.ts";
import { hasForwardMode } from "./adjoint.ts";
import {
  type Attempt,
  type Case,
  contraction,
  decided,
  direction,
  draw,
  law,
  results,
  run,
  type Subject,
} from "./subject.ts";

const steps = 2;

/** A scalar of a case: random weights times everything that the steps give. */
function scalarOf({ cell }: Subject, seed: number): (at: unknown) => Tensor {
  return (at) => contraction(seed)(results(run(cell, at as Case)));
}

/** Elements of a tree's float tensors, one after another. */
function elements(nested: unknown): Float64Array {
  return Float64Array.from(
    tree.leaves(nested).flatMap((x) => (x.dtype === "int32" ? [] : [...x.toTypedArray()])),
  );
}

/** The tree with its float tensors moved by `s` along `v`. */
function moved(nested: unknown, v: unknown, s: number): unknown {
  return tree.zip(nested, v, (x, dx) => (x.dtype === "int32" ? x : x.add(dx.mul(s))));
}

/** The gradient of a gradient is that of differences of the gradient. */
export function secondOrder(subject: Subject): Law {
  const { tolerance } = subject;
  return law(
    "second order",
    "the gradient of <gradient, v> equals central differences of the gradient along v",
    tolerance,
    (seed) =>
      decided(subject, tolerance, (attempt): Attempt => {
        const drawn: unknown = draw(subject, seed, { steps, attempt });
        const v = direction(drawn, rng(seed, `direction ${attempt}`));
        const f = scalarOf(subject, seed);
        const gradient = grad(f);
        const alongV = (at: unknown): Tensor =>
          tree
            .leaves(
              tree.zip(gradient(at), v, (g, dx) => (g.dtype === "int32" ? g : g.mul(dx).sum())),
            )
            .filter((part) => part.dtype !== "int32")
            .reduce((a, b) => a.add(b));
        const found = elements(grad(alongV)(drawn));
        const numeric = differences((s) => elements(gradient(moved(drawn, v, s))), 4e-3);
        const tally = new Tally();
        let undecided: string | undefined;
        const names = places(drawn);
        const most = largest(numeric.values);
        const rounding = 64 * Number.EPSILON * most;
        for (const [i, g] of found.entries()) {
          const [value, uncertainty] = [numeric.values[i]!, numeric.uncertainties[i]!];
          const [steepest, natural] = [numeric.steepest[i]!, numeric.sizes[i]!];
          const by = { value, uncertainty, steepest, natural };
          const error = derivativeError(g, by, most, tolerance, rounding);
          if (error === undefined) {
            undecided ??= `${names[i]}: differences give ${value} +- ${uncertainty.toExponential(0)}`;
            continue;
          }
          tally.add(error, () => {
            return `by ${names[i]}: the sweep of the recorded sweep gives ${g}, differences of the gradient ${value}`;
          });
        }
        return { ...tally.finding(), ...(undecided !== undefined && { undecided }) };
      }),
  );
}

/** The name of every element of `elements(tree)`. */
function places(nested: unknown): string[] {
  return tree
    .leavesWithPath(nested)
    .flatMap(([path, x]) =>
      x.dtype === "int32"
        ? []
        : Array.from({ length: x.size }, (_, i) => `${path}${indexOf(i, x)}`),
    );
}

/** Hessians are symmetric, whichever way they are computed. */
export function symmetry(subject: Subject): Law {
  return law(
    "Hessian symmetry",
    "<u, H v> = <v, H u>, with H v by forward over reverse mode",
    1e-11,
    (seed) => {
      const drawn: unknown = draw(subject, seed, { steps });
      const f = scalarOf(subject, seed);
      if (!hasForwardMode(grad(f), drawn)) return undefined;
      const [u, v] = ["u", "v"].map((name) => direction(drawn, rng(seed, name)));
      const product = (a: unknown, b: unknown): { sum: number; size: number } => {
        const [x, y] = [elements(a), elements(hvp(f, drawn, b))];
        const terms = x.map((value, i) => value * y[i]!);
        const add = (list: Float64Array) => list.reduce((sum, term) => sum + term, 0);
        return { sum: add(terms), size: add(terms.map(Math.abs)) };
      };
      const [left, right] = [product(u, v), product(v, u)];
      const tally = new Tally();
      tally.numbers(left.sum, right.sum, Math.max(left.size, right.size), () => "<u, H v>");
      return { ...tally.finding(), cases: elements(drawn).length };
    },
  );
}
