import {
  abs,
  grad,
  hessian,
  hvp,
  jvp,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { huber } from "@chronograd/nn";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";

/**
 * A gradient that mathematics leaves open, or that a formula would make NaN, and the value that we
 * chose.
 */
interface Convention {
  readonly what: string;
  readonly f: (x: Tensor) => Tensor;
  readonly at: readonly number[];
  readonly gradient: readonly number[];
}

const first = (x: Tensor) => x.slice([0]);
const second = (x: Tensor) => x.slice([1]);

const conventions: readonly Convention[] = [
  { what: "|x| at 0", f: (x) => abs(x), at: [0, -2], gradient: [0, -1] },
  { what: "relu at 0", f: (x) => x.relu(), at: [0, 3, -1], gradient: [0, 1, 0] },
  { what: "max: ties share", f: (x) => x.max(), at: [3, 3, 1], gradient: [0.5, 0.5, 0] },
  {
    what: "maxPool1d: ties share, padding has no part",
    f: (x) => x.reshape([1, 1, -1]).maxPool1d(3, { padding: 1 }),
    at: [-3, -3, -4],
    gradient: [0.5, 0.5, 0],
  },
  {
    what: "min: ties share",
    f: (x) => x.min(),
    at: [1, 2, 1, 1],
    gradient: [1 / 3, 0, 1 / 3, 1 / 3],
  },
  {
    what: "maximum: a tie shares",
    f: (x) => first(x).maximum(second(x)),
    at: [2, 2],
    gradient: [0.5, 0.5],
  },
  {
    what: "minimum: a tie shares",
    f: (x) => first(x).minimum(second(x)),
    at: [2, 2],
    gradient: [0.5, 0.5],
  },
  { what: "the norm of a zero vector", f: (x) => x.norm(), at: [0, 0], gradient: [0, 0] },
  {
    what: "hypot(0, 0)",
    f: (x) => first(x).hypot(second(x)),
    at: [0, 0],
    gradient: [0, 0],
  },
  {
    what: "atan2(0, 0)",
    f: (x) => first(x).atan2(second(x)),
    at: [0, 0],
    gradient: [0, 0],
  },
  {
    what: "logSumExp with one Infinity",
    f: (x) => x.logSumExp(),
    at: [Infinity, 2],
    gradient: [1, 0],
  },
  {
    what: "huber of infinite errors",
    f: (x) => huber(x, zeros(x.shape, { dtype: x.dtype }), { reduction: "none" }),
    at: [Infinity, -Infinity],
    gradient: [1, -1],
  },
  { what: "silu far away", f: (x) => x.silu(), at: [1e200, -Infinity], gradient: [1, 0] },
  { what: "a product with one 0", f: (x) => x.prod(), at: [2, 0, 3], gradient: [0, 6, 0] },
  { what: "a product with two 0", f: (x) => x.prod(), at: [0, 0, 3], gradient: [0, 0, 0] },
  {
    what: "logSumExp of nothing but -Infinity",
    f: (x) => x.logSumExp(),
    at: [-Infinity, -Infinity],
    gradient: [0, 0],
  },
  {
    what: "logSumExp with one -Infinity",
    f: (x) => x.logSumExp(),
    at: [-Infinity, 2],
    gradient: [0, 1],
  },
  { what: "x^0 at 0", f: (x) => x.pow(0), at: [0, 2], gradient: [0, 0] },
  { what: "x^1 at 0", f: (x) => x.pow(1), at: [0], gradient: [1] },
  { what: "x^2 below 0", f: (x) => x.pow(2), at: [-3], gradient: [-6] },
  { what: "0^x by x", f: (x) => x.mul(0).detach().pow(x), at: [2, 1], gradient: [0, 0] },
];

const law: Law = {
  name: "conventions",
  statement: "where formulas fail, gradients and tangents are finite and as documented",
  bound: 1e-15,
  measure: () =>
    scope(() => {
      const tally = new Tally();
      for (const { what, f, at, gradient } of conventions) {
        const x = tensor(Float64Array.from(at));
        tally.list(values(grad((z: Tensor) => f(z).sum())(x)), gradient, `${what}: gradient`);
        const total = gradient.reduce((a, b) => a + b, 0);
        const [, dy] = jvp(
          (z: Tensor) => f(z).sum(),
          x,
          tensor(new Float64Array(at.length).fill(1)),
        );
        tally.number(dy.item(), total, () => `${what}: tangent along ones`);
      }
      return tally;
    }),
};

const identity = (n: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 2 : 0)));

/** A second derivative where formulas divide 0 by 0, or where the value hides a term. */
interface Bend {
  readonly what: string;
  readonly f: (x: Tensor) => Tensor;
  readonly at: readonly number[];
  readonly hessian: readonly (readonly number[])[];
}

const power = (x: Tensor) => first(x).pow(second(x));

const bends: readonly Bend[] = [
  {
    what: "a^b at (0, 2)",
    f: power,
    at: [0, 2],
    hessian: [
      [2, 0],
      [0, 0],
    ],
  },
  {
    what: "a^b at (0, 3)",
    f: power,
    at: [0, 3],
    hessian: [
      [0, 0],
      [0, 0],
    ],
  },
  {
    what: "a^b at (2, 0)",
    f: power,
    at: [2, 0],
    hessian: [
      [0, 0.5],
      [0.5, Math.LN2 ** 2],
    ],
  },
  {
    what: "huber at 0",
    f: (x) => huber(x, zeros(x.shape, { dtype: x.dtype }), { reduction: "sum" }),
    at: [0],
    hessian: [[1]],
  },
  { what: "|x|^2 at 0", f: (x) => abs(x).square(), at: [0], hessian: [[2]] },
  { what: "|x|^2 by pow", f: (x) => abs(x).pow(2), at: [0, 3], hessian: identity(2) },
  { what: "|x|^4 at 0", f: (x) => abs(x).square().square(), at: [0], hessian: [[0]] },
  {
    what: "(|x| + x)^2, a kink, from the left and the right at once",
    f: (x) => abs(x).add(x).square(),
    at: [0],
    hessian: [[2]],
  },
  {
    what: "norm^2 of a zero vector",
    f: (x) => x.norm().square(),
    at: [0, 0],
    hessian: identity(2),
  },
  { what: "norm^2", f: (x) => x.norm().square(), at: [3, -4], hessian: identity(2) },
  {
    what: "hypot(0, 0)^2",
    f: (x) => first(x).hypot(second(x)).square(),
    at: [0, 0],
    hessian: identity(2),
  },
  {
    what: "the norm of a zero vector",
    f: (x) => x.norm(),
    at: [0, 0],
    hessian: [
      [0, 0],
      [0, 0],
    ],
  },
  {
    what: "hypot(0, 0)",
    f: (x) => first(x).hypot(second(x)),
    at: [0, 0],
    hessian: [
      [0, 0],
      [0, 0],
    ],
  },
];

const bending: Law = {
  name: "second derivatives at edges",
  statement: "where formulas fail, the Hessian is the limit or as documented, in every mode",
  bound: 1e-14,
  measure: () =>
    scope(() => {
      const tally = new Tally();
      for (const { what, f, at, hessian: expected } of bends) {
        const x = tensor(Float64Array.from(at));
        const scalar = (z: Tensor) => f(z).sum();
        const found = values(hessian(scalar, x));
        tally.list(found, expected.flat(), what);
        for (const k of at.keys()) {
          const unit = tensor(Float64Array.from(at, (_, i) => Number(i === k)));
          tally.list(values(hvp(scalar, x, unit)), expected[k]!, `${what}, forward over reverse`);
          const slope = (z: Tensor) => jvp(scalar, z, unit)[1] as Tensor;
          tally.list(values(grad(slope)(x)), expected[k]!, `${what}, reverse over forward`);
        }
      }
      return tally;
    }),
};

/** Gradients at kinks, ties and edges. */
export function conventionSubjects(): Subject[] {
  return [{ name: "kinks, ties and edges", group: "conventions", laws: [law, bending] }];
}
