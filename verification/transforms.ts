import {
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  scope,
  Tape,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from "@chronograd/autodiff";
import { opTable } from "@chronograd/autodiff/extend";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { block, drawSample, normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { numbers, Tally, total, values } from "./tally.ts";

const draws = 3;

function law(
  name: string,
  statement: string,
  bound: number,
  measure: (random: Rng, tally: Tally, seed: number) => void,
): Law {
  return {
    name,
    statement,
    bound,
    measure(seed) {
      const tally = new Tally();
      for (let draw = 0; draw < draws; draw++) {
        const own = draws * seed + draw;
        scope(() => measure(rng(own, name), tally, own));
      }
      return tally;
    },
  };
}

/** A random smooth function from a vector of `n` to one of `m` elements, through a [3,3] matrix. */
function vectors(random: Rng, n: number, m: number): (x: Tensor) => Tensor {
  const [into, out, body] = [normal(random, [n, 9]), normal(random, [9, m]), block(random)];
  return (x) => {
    const inner = x.matmul(into).mul(0.5).tanh().reshape([3, 3]);
    return body(inner, inner).reshape([9]).matmul(out);
  };
}

/** Central differences of fourth order of every output by element `i`. */
function slope(f: (x: Tensor) => Tensor, x: Tensor, i: number): number[] {
  const at = (s: number) => {
    const moved = values(x);
    moved[i]! += s;
    return values(f(tensor(Float64Array.from(moved), { shape: x.shape })));
  };
  const h = 1e-3;
  const [a, b, c, d] = [at(h), at(-h), at(2 * h), at(-2 * h)];
  return a.map((_, k) => (8 * (a[k]! - b[k]!) - (c[k]! - d[k]!)) / (12 * h));
}

function unit(n: number, i: number): Tensor {
  return tensor(Float64Array.from({ length: n }, (_, k) => Number(k === i)));
}

const jacobians = law(
  "jacobian",
  "column i is the derivative by x_i: by jvp, by differences; row k is that of y_k: by vjp; for wide and tall Jacobians",
  1e-8,
  (random, tally) => {
    for (const [n, m] of [
      [2, 4],
      [4, 2],
      [3, 3],
    ] as const) {
      const [f, x] = [vectors(random, n, m), normal(random, [n])];
      const J = values(jacobian(f, x));
      const where = `[${m}] by [${n}]`;
      tally.number(J.length, m * n, () => `${where}: elements`);
      for (let i = 0; i < n; i++) {
        const column = Array.from({ length: m }, (_, k) => J[k * n + i]!);
        const [y, dy] = jvp(f, x, unit(n, i));
        tally.list(values(dy), column, `${where}, column ${i}: jvp beside jacobian`);
        tally.list(column, slope(f, x, i), `${where}, column ${i}: jacobian beside differences`);
        tally.bits(values(y), values(f(x)), `${where}: value of jvp`);
      }
      const [y, pullback] = vjp(f, x);
      tally.bits(values(y), values(f(x)), `${where}: value of vjp`);
      for (let k = m - 1; k >= 0; k--) {
        const row = J.slice(k * n, (k + 1) * n);
        tally.list(values(pullback(unit(m, k))), row, `${where}, row ${k}: vjp beside jacobian`);
      }
    }
  },
);

const hessians = law(
  "hessian matrix",
  "H is the Jacobian of the gradient, symmetric, that of differences, and H v = hvp",
  1e-7,
  (random, tally) => {
    const n = 4;
    const g = vectors(random, n, 3);
    const f = (x: Tensor) => g(x).square().sum();
    const [x, v] = [normal(random, [n]), normal(random, [n])];
    const H = hessian(f, x);
    const elements = values(H);
    tally.list(values(H.transpose()), elements, "H' beside H");
    tally.list(values(hvp(f, x, v)), values(H.matmul(v)), "hvp beside H v");
    for (let i = 0; i < n; i++) {
      const column = slope((z) => grad(f)(z), x, i);
      tally.list(elements.slice(i * n, (i + 1) * n), column, `row ${i} of H beside differences`);
    }
  },
);

const trees = law(
  "trees",
  "valueAndGrad takes trees and further arguments: value and gradient are those of the function",
  1e-12,
  (random, tally) => {
    const body = block(random);
    const params = { w: normal(random, [3, 3]), more: [normal(random, [3, 3])] };
    const x = normal(random, [3, 3]);
    const f = ({ w, more }: typeof params, other: Tensor) => body(w, more[0]!, other).sum();
    const [value, gradient] = valueAndGrad(f)(params, x);
    tally.number(value.item(), f(params, x).item(), () => "value");
    const separate = {
      w: grad((w: Tensor) => f({ ...params, w }, x))(params.w),
      more: [grad((w: Tensor) => f({ ...params, more: [w] }, x))(params.more[0]!)],
    };
    tally.trees(gradient, separate, "gradient by");
  },
);

const constants = law(
  "constants",
  "what does not depend on the argument has derivatives of zero, and stands for itself",
  0,
  (random, tally) => {
    const [c, x, v] = [normal(random, [2]), normal(random, [3]), normal(random, [3])];
    const zeros = (n: number) => new Array<number>(n).fill(0);
    tally.bits(values(grad(() => c.sum())(x)), zeros(3), "grad of a constant");
    tally.bits(values(jacobian(() => c, x)), zeros(6), "jacobian of a constant");
    tally.bits(values(hessian(() => c.sum(), x)), zeros(9), "hessian of a constant");
    tally.bits(values(hvp(() => c.sum(), x, v)), zeros(3), "hvp of a constant");
    tally.bits(values(hessian((z) => z.sum(), x)), zeros(9), "hessian of a linear function");
    const [value, tangent] = jvp((z) => ({ varies: z.mul(2), constant: c }), x, v);
    tally.bits(values(value.constant), values(c), "jvp: the constant's value");
    tally.bits(values(tangent.constant), zeros(2), "jvp: the constant's tangent");
    tally.bits(values(tangent.varies), values(v.mul(2)), "jvp: the other tangent");
    const [, pullback] = vjp(() => c, x);
    tally.bits(values(pullback(c)), zeros(3), "pullback of a constant");
  },
);

const closures = law(
  "closures",
  "an inner derivative sees outer variables through its closure as variables of the outer one: mixed second derivatives",
  1e-10,
  (random, tally) => {
    const body = block(random, 6);
    const [x, y, v] = [normal(random, [3, 3]), normal(random, [3, 3]), normal(random, [3, 3])];
    const f = (a: Tensor, b: Tensor) => body(a, b).sum();
    // By one Hessian of both inputs: its block by y along v.
    const both = hvp(
      (p: { a: Tensor; b: Tensor }) => f(p.a, p.b),
      { a: x, b: y },
      { a: x.mul(0), b: v },
    );
    const reverse = grad((a: Tensor) =>
      grad((b: Tensor) => f(a, b))(y)
        .mul(v)
        .sum(),
    )(x);
    tally.trees(reverse, both.a, "reverse within reverse: by");
    const forward = grad((a: Tensor) => jvp((b: Tensor) => f(a, b), y, v)[1])(x);
    tally.trees(forward, both.a, "forward within reverse: by");
    const [, other] = jvp((b: Tensor) => grad((a: Tensor) => f(a, b))(x), y, v);
    tally.trees(other, both.a, "reverse within forward: by");
    const scalar = tensor(1.5, { dtype: "float64" });
    // d/dx (x d/dy (x + y)) = 1, not 2 (Siskind & Pearlmutter 2005).
    const confused = grad((a: Tensor) => a.mul(grad((b: Tensor) => a.add(b))(scalar)))(scalar);
    tally.number(confused.item(), 1, () => "perturbation confusion");
  },
);

const outputs = law(
  "outputs",
  "jvp of several outputs, of which one is made from another, is the jvp of each",
  1e-12,
  (random, tally) => {
    const [first, second] = [block(random), block(random)];
    const [x, v] = [normal(random, [3, 3]), normal(random, [3, 3])];
    const f = (z: Tensor) => {
      const a = first(z, z);
      return { a, b: second(a, z), x: z };
    };
    const [, all] = jvp(f, x, v);
    for (const name of ["a", "b", "x"] as const) {
      const [, one] = jvp((z) => f(z)[name], x, v);
      tally.trees(all[name], one, `tangent of ${name}`);
    }
  },
);

const partial = law(
  "one at a time",
  "derivatives by one operand, the others constants, are its share of those by all: for every op and both modes",
  1e-12,
  (_random, tally, seed) => {
    for (const { name, declaration } of opTable()) {
      for (const sample of declaration.samples) {
        const floats = sample.inputs.flatMap(({ integers }, i) =>
          integers === undefined ? [i] : [],
        );
        if (floats.length < 2) continue;
        scope(() => {
          const where = `${name}, ${sample.label}`;
          const inputs = drawSample(sample, seed, { kinks: declaration.kinks ?? [] });
          const random = rng(seed, "directions");
          const directions = inputs.map((x) => normal(random, x.shape));
          const alone = (i: number) => (x: Tensor) => sample.call(inputs.with(i, x));
          const y = sample.call(inputs);
          if (y.dtype === "int32") return;
          const tape = new Tape();
          const watched = tape.watch(inputs) as Tensor[];
          const all = sample.call(watched);
          if (!tape.tracks(all)) return;
          const u = normal(random, y.shape);
          const gradients = tape.gradient(all, watched, { cotangent: u }) as Tensor[];
          for (const i of floats) {
            const [, pullback] = vjp(alone(i), inputs[i]!);
            tally.trees(pullback(u), gradients[i], `${where}: gradient by input ${i} alone`);
          }
          const isFloat = (i: number) => floats.includes(i);
          const [, together] = jvp(
            (xs: Tensor[]) =>
              sample.call(inputs.map((x, i) => (isFloat(i) ? xs[floats.indexOf(i)]! : x))),
            floats.map((i) => inputs[i]!) as never,
            floats.map((i) => directions[i]!) as never,
          );
          const parts = floats.map((i) => {
            const [, dy] = jvp(alone(i), inputs[i]!, directions[i]!);
            tally.check(dy.shape.join() === y.shape.join(), () => {
              return `${where}: the tangent by input ${i} alone has shape [${dy.shape}], expected [${y.shape}]`;
            });
            return numbers(dy);
          });
          tally.trees(together, total(parts), `${where}: sum of the tangents`);
        });
      }
    }
  },
);

/** What the transforms guarantee, compared with each other and with differences. */
export function transformSubjects(): Subject[] {
  const laws = [jacobians, hessians, trees, constants, closures, outputs, partial];
  return [{ name: "transforms", group: "transforms", laws }];
}
