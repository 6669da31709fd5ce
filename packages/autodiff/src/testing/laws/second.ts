import { tensor } from "../../tensor/create.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { leaves, leavesWithPath, type MapTree, map } from "../../tensor/tree.ts";
import { jvp } from "../../transforms/forward.ts";
import { grad } from "../../transforms/reverse.ts";
import { hvp } from "../../transforms/second.ts";
import { blameSecond } from "../blame.ts";
import { checkGradients } from "../checkGradients.ts";
import { Flattened, randomVector } from "../function.ts";
import type { Law } from "../law.ts";
import { contracted, gradientOf } from "../second.ts";
import { type Case, compare, lawOf, product, worse } from "./case.ts";

type Inputs<T> = MapTree<T, Tensor>;

/** Random numbers beside each float of a tree; what is not one stays. */
function beside<T>(tree: T, seed: number): Inputs<T> {
  let k = 0;
  return map(tree, (x: Tensor) => {
    k++;
    if (!isFloat(x.dtype)) return x;
    const { shape, dtype, backend } = x;
    return tensor(randomVector(x.size, seed + 31 * k), { shape, dtype, backend });
  }) as Inputs<T>;
}

function inner<T>(a: T, b: Inputs<T>): Tensor {
  const others = leaves(b);
  let sum: Tensor | undefined;
  for (const [i, x] of leaves(a).entries()) {
    if (!isFloat(x.dtype)) continue;
    const part = x.mul(others[i]!).sum();
    sum = sum === undefined ? part : sum.add(part);
  }
  return sum!;
}

/** Laws of second derivatives, in float64. */
export function secondOrderLaws<T>(cases: readonly Case<T>[]): Law[] {
  const gradients: Law = lawOf(
    cases,
    {
      name: "second order",
      statement: "the gradient's own Jacobian (vjp of vjp) is that of central differences",
      bound: 1e-6,
    },
    (c, seed) =>
      scope(() => {
        const inputs = c.draw(seed, "float64");
        const report = checkGradients<T>(gradientOf(c.f, seed), inputs, {
          seed,
          tolerance: 1e-6,
          blame: false,
        });
        const cases = Math.max(1, report.elements);
        if (report.ok) return { error: report.worst, cases };
        const culprit = blameSecond(new Flattened(c.f, inputs, c.label), 1e-6, seed);
        const what = culprit === undefined ? `${report}` : `${report}\n${culprit.message}`;
        return { error: Infinity, cases, what };
      }),
  );
  const hessians: Law = lawOf(
    cases,
    {
      name: "hessian",
      statement: "<w, H v> = <v, H w>, and vjp of vjp, jvp of vjp and jvp of jvp give the same H",
      bound: 1e-10,
    },
    (c, seed) =>
      scope(() => {
        const x = c.draw(seed, "float64");
        const f = contracted(c.f, seed + 7);
        const [v, w] = [beside(x, seed + 100), beside(x, seed + 200)];
        const gradient = (z: Inputs<T>) => grad(f as never)(z as never) as Inputs<T>;
        const overReverse = (by: Inputs<T>, along: Inputs<T>) => {
          const h = grad((z: Inputs<T>) => inner(gradient(z) as never, by as never))(x as never);
          return product(numbers(h as never), numbers(along));
        };
        const [vw, wv] = [overReverse(v, w), overReverse(w, v)];
        // A second derivative of 0 is 0 up to the rounding of the first.
        const zero = 1e-3 * product(numbers(gradient(x as never)), numbers(w)).size;
        const scale = Math.max(vw.size, wv.size, zero);
        const held = (found: number, what: string) => compare([found], [vw.sum], () => what, scale);
        const found = held(wv.sum, "<v, H w> beside <w, H v>");
        if (new Flattened(c.f, x, c.label).pushed(new Float64Array(floatCount(x))) === undefined)
          return found;
        const forwardOverReverse = inner(hvp(f as never, x, v as never), w as never).item();
        const [, second] = jvp(
          (z: Inputs<T>) => jvp(f as never, z as never, v as never)[1],
          x as never,
          w as never,
        );
        return [
          found,
          held(forwardOverReverse, "jvp of vjp beside vjp of vjp"),
          held((second as Tensor).item(), "jvp of jvp beside vjp of vjp"),
        ].reduce(worse);
      }),
  );
  return [gradients, hessians];
}

/** The numbers of a tree's floats, one after another. */
function numbers(tree: unknown): number[] {
  return leaves(tree).flatMap((x) => (isFloat(x.dtype) ? [...x.toTypedArray()] : []));
}

function floatCount(tree: unknown): number {
  return leavesWithPath(tree).reduce((n, [, x]) => n + (isFloat(x.dtype) ? x.size : 0), 0);
}
