import { tensor } from "../../tensor/doors.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { flatten, leaves, type MapTree, map } from "../../tensor/tree.ts";
import { jvp } from "../../transforms/forward.ts";
import { grad } from "../../transforms/reverse.ts";
import { hvp } from "../../transforms/second.ts";
import { checkGradients } from "../checkGradients.ts";
import { Flattened, randomVector } from "../function.ts";
import type { Law } from "../law.ts";
import { type Case, compare, lawOf, worse } from "./case.ts";

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

/** `<u, f(x)>` for fixed random `u`: a scalar that every output matters to. */
function contracted<T>(f: Case<T>["f"], seed: number): (x: Inputs<T>) => Tensor {
  return (x) => {
    let sum: Tensor | undefined;
    for (const [k, y] of leaves(f(x))
      .filter((y) => isFloat(y.dtype))
      .entries()) {
      const { shape, dtype, backend } = y;
      const part = y.mul(tensor(randomVector(y.size, seed + k), { shape, dtype, backend })).sum();
      sum = sum === undefined ? part : sum.add(part);
    }
    return sum!;
  };
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
        const gradient = (x: Inputs<T>) =>
          leaves(grad(contracted(c.f, seed + 7))(x as never)).filter((g) => isFloat(g.dtype));
        const report = checkGradients<T>(gradient, c.draw(seed, "float64"), {
          seed,
          tolerance: 1e-6,
        });
        const cases = Math.max(1, report.elements);
        return report.ok
          ? { error: report.worst, cases }
          : { error: Infinity, cases, what: report.toString() };
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
        const overReverse = (by: Inputs<T>, along: Inputs<T>) =>
          inner(
            grad((z: Inputs<T>) => inner(grad(f as never)(z as never), by as never))(x as never),
            along as never,
          ).item();
        const vw = overReverse(v, w);
        const found = compare([overReverse(w, v)], [vw], () => "<v, H w> beside <w, H v>");
        if (new Flattened(c.f, x, c.label).pushed(new Float64Array(floatCount(x))) === undefined)
          return found;
        const forwardOverReverse = inner(hvp(f as never, x, v as never), w as never).item();
        const [, second] = jvp(
          (z: Inputs<T>) => jvp(f as never, z as never, v as never)[1],
          x as never,
          w as never,
        );
        return worse(
          worse(
            found,
            compare([forwardOverReverse], [vw], () => "jvp of vjp beside vjp of vjp"),
          ),
          compare([(second as Tensor).item()], [vw], () => "jvp of jvp beside vjp of vjp"),
        );
      }),
  );
  return [gradients, hessians];
}

function floatCount(tree: unknown): number {
  return flatten(tree).reduce((n, [, x]) => n + (isFloat(x.dtype) ? x.size : 0), 0);
}
