import { scope, type Tensor, tensor, tree, valueAndGrad } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import {
  adagrad,
  adam,
  adamW,
  applyUpdates,
  chain,
  type GradientTransformation,
  type LearningRate,
  type Rng,
  rmsprop,
  rng,
  schedule,
  sgd,
} from "@chronograd/nn";
import { decodeSafetensors, encodeSafetensors, restoreTree } from "@chronograd/nn/safetensors";
import { normal } from "./blocks.ts";
import { sizes } from "./sizes.ts";
import { stepLaws } from "./steps.ts";
import type { Subject } from "./subject.ts";
import { numbers, Tally } from "./tally.ts";

type Optimizer = GradientTransformation<unknown>;

/** Every optimizer, with options that use all of its state. */
const makers: Readonly<Record<string, (learningRate: LearningRate) => Optimizer>> = {
  sgd: (learningRate) => sgd({ learningRate, momentum: 0.9, weightDecay: 0.1, nesterov: true }),
  adam: (learningRate) => adam({ learningRate, amsgrad: true, weightDecay: 0.1 }),
  adamW: (learningRate) => adamW({ learningRate, weightDecay: 0.1 }),
  rmsprop: (learningRate) => rmsprop({ learningRate, centered: true, momentum: 0.5 }),
  adagrad: (learningRate) => adagrad({ learningRate, initialAccumulator: 0.5 }),
};

type Tree = Record<string, Tensor>;
const updates = 5;

/**
 * Parameters after some updates; `between` may change the state that the updates so far left, or
 * the optimizer.
 */
function train(
  optimizer: Optimizer | ((done: number) => Optimizer),
  start: Tree,
  gradients: readonly Tree[],
  between: (done: number, state: unknown) => unknown = (_, state) => state,
): Tree {
  const at = (done: number) => (typeof optimizer === "function" ? optimizer(done) : optimizer);
  let params = tree.map(start, (x: Tensor) => x.clone()) as Tree;
  let state = at(0).init(params);
  for (const [i, g] of gradients.entries()) {
    const [moves, next] = at(i).update(g, between(i, state), params);
    params = applyUpdates(params, moves as Tree) as Tree;
    state = next;
  }
  return params;
}

function drawn(random: Rng, shapes: Readonly<Record<string, readonly number[]>>): Tree {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, normal(random, shape)]),
  );
}

function laws(make: (learningRate: LearningRate) => Optimizer): Law[] {
  const law = (
    name: string,
    statement: string,
    bound: number,
    measure: (random: Rng, tally: Tally) => void,
  ): Law => ({
    name,
    statement,
    bound,
    measure: (seed) =>
      scope(() => {
        const tally = new Tally();
        measure(rng(seed, name), tally);
        return tally;
      }),
  });
  return [
    law(
      "elements apart",
      "an element moves as it would alone, however large the parameter, bit by bit",
      0,
      (random, tally) => {
        const size = 4500;
        const large = drawn(random, { w: [size] });
        const gradients = Array.from({ length: updates }, () => drawn(random, { w: [size] }));
        const found = numbers(train(make(0.1), large, gradients)).w!;
        for (const at of [0, 2047, 2048, size - 3]) {
          const part = ({ w }: Tree) => ({ w: w!.slice([[at, at + 2]]).clone() });
          const alone = train(make(0.1), part(large), gradients.map(part));
          const here = Array.from(found).slice(at, at + 2);
          tally.bits(here, numbers(alone).w!, `elements ${at} and ${at + 1}`);
        }
      },
    ),
    law("schedule", "a schedule gives update n the rate schedule(n - 1)", 0, (random, tally) => {
      const start = drawn(random, { w: [3], b: [2, 2] });
      const gradients = Array.from({ length: updates }, () => drawn(random, { w: [3], b: [2, 2] }));
      const rate = (step: number) => 0.1 / (1 + step);
      const asked: number[] = [];
      const scheduled = make((step: number) => {
        asked.push(step);
        return rate(step);
      });
      const found = numbers(train(scheduled, start, gradients));
      tally.list([...new Set(asked)], [0, 1, 2, 3, 4], "steps that the schedule was asked for");
      // The expected result: a new optimizer for each update, with the rate of that update and the
      // state so far.
      const expected = train((done) => make(rate(done)), start, gradients);
      for (const [path, list] of Object.entries(numbers(expected))) {
        tally.bits(found[path]!, list, `by ${path}`);
      }
    }),
    law(
      "saved",
      "a state that was written to a file and read again changes nothing, bit by bit",
      0,
      (random, tally) => {
        const start = drawn(random, { w: [3], b: [2, 2] });
        const gradients = Array.from({ length: updates }, () =>
          drawn(random, { w: [3], b: [2, 2] }),
        );
        const expected = numbers(train(make(0.1), start, gradients));
        const stopped = train(make(0.1), start, gradients, (done, state) =>
          done === 2 ? restoreTree(state, decodeSafetensors(encodeSafetensors(state))) : state,
        );
        for (const [path, list] of Object.entries(numbers(stopped))) {
          tally.bits(list, expected[path]!, `by ${path}`);
        }
      },
    ),
    law(
      "refuses",
      "a gradient that is not finite throws and names the parameter; whoever throws, nothing is changed",
      0,
      (random, tally) => {
        const params = drawn(random, { w: [3], b: [2] });
        const optimizer = make(0.1);
        const state = optimizer.init(params);
        const before = [numbers(params), numbers(state)].map((x) => JSON.stringify(x));
        const bad = { w: params.w!, b: tensor([1, Number.NaN], { dtype: "float64" }) };
        tally.throws(
          () => optimizer.update(bad, state, params),
          /"b" has 1 of 2 elements that are NaN/,
          "NaN",
        );
        const broken: Optimizer = {
          init: () => ({}),
          update: () => {
            throw new Error("mine");
          },
        };
        const states = { optimizer: state, broken: {} };
        const fine = { w: params.w!, b: params.b! };
        const links = chain({ optimizer, broken });
        tally.throws(() => links.update(fine, states, params), /mine/, "a later link");
        const after = [numbers(params), numbers(state)].map((x) => JSON.stringify(x));
        tally.check(before.join() === after.join(), () => "something was changed");
      },
    ),
    law(
      "tracked",
      "differentiating through updates gives what differences give",
      1e-6,
      (random, tally) => {
        const optimizer = make(0.1);
        const [g, h, w] = [normal(random, [3]), normal(random, [3]), normal(random, [3])];
        const first = optimizer.init({ w });
        const moved = (scaleOf: Tensor): Tensor => {
          const start = tree.map(first, (x: Tensor) => x.clone());
          const [one, state] = optimizer.update({ w: g.mul(scaleOf) } as Tree, start, { w });
          const mid = applyUpdates<Tree>({ w: w.mul(1) }, one as Tree) as Tree;
          const [two] = optimizer.update({ w: h.add(mid.w!.mul(0.1)) }, state, mid);
          return (applyUpdates(mid, two as Tree) as Tree).w!.square().sum();
        };
        const at = tensor(1.3, { dtype: "float64" });
        const [norm, slope] = valueAndGrad(moved)(at);
        tally.number(norm.item(), moved(at).item(), () => "the value, in ops and by kernels");
        const step = 1e-5;
        const value = (x: number) => moved(tensor(x, { dtype: "float64" })).item();
        const expected = (value(1.3 + step) - value(1.3 - step)) / (2 * step);
        tally.number(slope.item(), expected, () => "the derivative by the first gradient's size");
        const byRate = (rate: Tensor): Tensor => {
          const own = make(schedule(() => rate));
          const [moves] = own.update({ w: g }, own.init({ w }), { w });
          return w
            .add((moves as Tree).w!)
            .square()
            .sum();
        };
        const down = byRate(tensor(0.1 - step, { dtype: "float64" })).item();
        const rise = byRate(tensor(0.1 + step, { dtype: "float64" })).item() - down;
        const [, byTape] = valueAndGrad(byRate)(tensor(0.1, { dtype: "float64" }));
        tally.number(byTape.item(), rise / (2 * step), () => "the derivative by the rate");
      },
    ),
  ];
}

const own: Law = {
  name: "updates",
  statement: "applyUpdates adds: w + u, so that -rate g is a step of plain gradient descent",
  bound: 1e-15,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const random = rng(seed, "updates");
      const [w, g] = [normal(random, [2, 3]), normal(random, [2, 3])];
      const optimizer = sgd({ learningRate: 0.3 });
      const [moves] = optimizer.update({ w: g }, optimizer.init({ w }), { w });
      const expected = applyUpdates({ w: w.clone() }, moves);
      const found = applyUpdates({ w: w.clone() }, { w: g.mul(-0.3) });
      tally.trees(found, expected, "by");
      return tally;
    }),
};

const once: Law = {
  name: "once",
  statement: "a tensor at two places is refused, and nothing is consumed",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const w = normal(rng(seed, "once"), [2]);
      const u = w.mul(2);
      const [params, updates] = [
        { a: w, b: w },
        { a: u, b: u },
      ];
      tally.throws(() => applyUpdates(params, updates), /one tensor stands at/, "two places");
      tally.bits(u.toTypedArray(), w.mul(2).toTypedArray(), "the parameter lives");
      return tally;
    }),
};

/** What holds for every optimizer; their formulas are tested with the numbers of PyTorch. */
export function optimizerSubjects(): Subject[] {
  const group = "optimizers";
  return [
    ...Object.entries(makers).map(([name, make]) => ({ name, group, laws: laws(make) })),
    { name: "applyUpdates", group, laws: [own, once] },
    { name: "any size", group, laws: [sizes] },
    { name: "training step", group, laws: stepLaws(makers) },
  ];
}
