import {
  compile,
  customGradient,
  grad,
  hvp,
  jvp,
  ones,
  Tape,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { normal } from "./blocks.ts";
import { lawOver } from "./lawOver.ts";
import type { Subject } from "./subject.ts";
import { values } from "./tally.ts";

interface Pair {
  readonly a: Tensor;
  readonly b: Tensor;
}

/** A function of two tensors to two, of different shapes. */
const plain = ({ a, b }: Pair) => ({ p: a.mul(b), q: a.square().sum() });
/** The same with its derivative written out. */
const custom = customGradient(plain, ({ p, q }, { a, b }) => ({
  a: p.mul(b).add(a.mul(q).mul(2)),
  b: p.mul(a),
}));
/** Each output used twice, so that its cotangent is a sum. */
const lossOf = (f: typeof plain) => (x: Pair) => {
  const { p, q } = f(x);
  return p.tanh().sum().mul(q).add(p.square().sum()).add(q);
};

const derivatives = lawOver(
  1,
  "derivatives",
  "with its true rule a custom gradient is the function: values, gradients, tangents, second derivatives, on outer tapes, twice on one tape, compiled",
  1e-11,
  (seed, tally) => {
    const random = rng(seed, "custom gradients");
    const draw = (): Pair => ({ a: normal(random, [3]), b: normal(random, [3]) });
    const [x, v] = [draw(), draw()];
    const [f, truth] = [lossOf(custom), lossOf(plain)];
    tally.trees(custom(x), plain(x), "values:");
    tally.trees(grad(f)(x), grad(truth)(x), "gradient by");
    tally.trees(jvp(custom, x, v)[1], jvp(plain, x, v)[1], "tangent of");
    tally.trees(hvp(f, x, v), hvp(truth, x, v), "hvp by");
    // Reverse over reverse, and forward over reverse, by the rule itself.
    const length = (g: typeof f) => (z: Pair) => {
      const { a, b } = grad(g)(z);
      return a.square().sum().add(b.sum());
    };
    tally.trees(grad(length(f))(x), grad(length(truth))(x), "gradient of the gradient by");
    tally.trees(jvp(grad(f), x, v)[1], jvp(grad(truth), x, v)[1], "tangent of the gradient by");
    const outer = (g: typeof plain) => (a: Tensor) =>
      grad((z: Pair) => lossOf(g)(z))({ a, b: x.b }).b.sum();
    tally.trees(grad(outer(custom))(x.a), grad(outer(plain))(x.a), "mixed derivative by");
    const twice = (g: typeof plain) => (z: Pair) => {
      const { p, q } = g(z);
      return g({ a: p, b: z.a.mul(q) }).p.sum();
    };
    tally.trees(grad(twice(custom))(x), grad(twice(plain))(x), "applied twice, gradient by");
    const tape = new Tape();
    const watched = tape.watch(x) as Pair;
    const { p } = custom(watched);
    for (let k = 0; k < 2; k++) {
      const cotangent = normal(random, [3]);
      const again = vjp((z: Pair) => plain(z).p, x)[1](cotangent);
      tally.trees(tape.gradient(p, watched, { cotangent }), again, `sweep ${k} by`);
    }
    // A rule that reads a tracked value from outside: the cotangent is 2 y z with y = 2 z.
    const outside = (z: Tensor) =>
      customGradient(
        (y: Tensor) => y.mul(2),
        (g) => g.mul(z),
      )(z);
    const slope = values(grad((z: Tensor) => outside(z).square().sum())(x.a));
    tally.list(slope, values(x.a.square().mul(4)), "gradient by a rule that reads from outside");
    const fast = compile((z: Pair) => grad(f)(z));
    for (const z of [x, draw()]) tally.trees(fast(z), grad(truth)(z), "compiled, gradient by");
  },
);

const refusals = lawOver(
  1,
  "refusals",
  "a rule that returns another structure, shape or dtype is refused; so is a tracked value from outside",
  0,
  (_seed, tally) => {
    const x = tensor([1, 2]);
    const f = (z: Tensor) => z.sum();
    const wrong: readonly (readonly [what: string, rule: (g: Tensor) => unknown])[] = [
      ["another shape", (g) => g],
      ["nothing", () => undefined],
      ["a number", () => 1],
      ["another dtype", () => ones([2], { dtype: "float64" })],
      ["another structure", () => ({ z: ones([2]) })],
    ];
    for (const [what, rule] of wrong) {
      const g = grad(customGradient(f, rule as never) as (z: Tensor) => Tensor);
      tally.throws(() => g(x), /^customGradient: the rule must return a cotangent/, what);
    }
    const closes = (z: Tensor) =>
      customGradient(
        (y: Tensor) => y.mul(z).sum(),
        (g, y) => g.mul(y),
      )(ones([2]).add(z.detach()));
    tally.throws(() => grad(closes)(x), /tracked value that is not part of/, "a closure");
    const integers = customGradient(
      (z: Tensor) => z.argmax(),
      (g) => g,
    );
    tally.throws(() => integers(x), /floats of one dtype/, "integers");
  },
);

const aux = lawOver(
  1,
  "aux",
  "with hasAux, what a function returns besides its value comes out as it is, and the gradient is that of the value",
  1e-12,
  (seed, tally) => {
    const x = normal(rng(seed, "aux"), [3]);
    const f = (z: Tensor) => [z.square().sum(), { doubled: z.mul(2), count: 3 }] as const;
    const [gradient, { doubled, count }] = grad(f, { hasAux: true })(x);
    tally.list(values(gradient), values(x.mul(2)), "gradient");
    tally.list(values(doubled), values(x.mul(2)), "aux");
    tally.check(count === 3 && doubled.tape === null, () => "aux is changed, or tracked");
    const [[value, other]] = valueAndGrad(f, { hasAux: true })(x);
    tally.number(value.item(), f(x)[0].item(), () => "value");
    tally.list(values(other.doubled), values(x.mul(2)), "aux beside the value");
    const outer = (z: Tensor) => grad(f, { hasAux: true })(z)[1].doubled.square().sum();
    tally.list(values(grad(outer)(x)), values(x.mul(8)), "gradient through aux");
  },
);

const constants = lawOver(
  1,
  "constants in programs",
  "a cotangent that is a constant of a compiled function gives what it gives outside",
  1e-12,
  (seed, tally) => {
    const random = rng(seed, "constants");
    const f = (w: Tensor) => {
      const cotangent = ones([2], { dtype: "float64" }).mul(3);
      return vjp((z: Tensor) => z.square().tanh(), w)[1](cotangent);
    };
    const fast = compile(f);
    for (let k = 0; k < 3; k++) {
      const w = normal(random, [2]);
      tally.list(values(fast(w)), values(f(w)), "gradient");
    }
    tally.check(!fast.explain().includes("not compiled"), () => fast.explain());
  },
);

/** Custom derivative rules, values returned with gradients, and constants as cotangents. */
export function customSubjects(): Subject[] {
  const laws = [derivatives, refusals, aux, constants];
  return [{ name: "custom gradients", group: "transforms", laws }];
}
