import { compile, scope, type Tensor, tensor, tree, valueAndGrad } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import {
  adam,
  applyUpdates,
  chain,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  cosineDecay,
  exponentialDecay,
  type GradientTransformation,
  type LearningRate,
  linearWarmup,
  oneCycle,
  plateau,
  rng,
  schedule,
  sgd,
  stepDecay,
} from "@chronograd/nn";
import { Tally } from "./tally.ts";

type Optimizer = GradientTransformation<unknown>;
type Tree = Record<string, Tensor>;
type Makers = Readonly<Record<string, (learningRate: LearningRate) => Optimizer>>;

/** A schedule, or a rate. */
const rates: Readonly<Record<string, LearningRate>> = {
  number: 0.1,
  cosineDecay: cosineDecay({ initial: 0.1, steps: 20 }),
  exponentialDecay: exponentialDecay({ initial: 0.1, factor: 0.9, every: 3 }),
  stepDecay: stepDecay({ initial: 0.1, every: 7, factor: 0.5 }),
  linearWarmup: linearWarmup({ steps: 5, to: cosineDecay({ initial: 0.1, steps: 30 }) }),
  oneCycle: oneCycle({ peak: 0.1, steps: 40 }),
  own: schedule((step) => step.add(1).reciprocal().mul(0.1)),
};

const clippers: Readonly<Record<string, GradientTransformation<unknown>>> = {
  clipByGlobalNorm: clipByGlobalNorm(0.5),
  "clipByGlobalNorm, zero": clipByGlobalNorm(0.5, { nonFinite: "zero", order: 1 }),
  clipByValue: clipByValue(0.2),
  clipPerParameter: clipPerParameter(0.3, { order: Infinity }),
  clipAdaptive: clipAdaptive({ clipping: 0.1 }),
};

/** 50 training steps, as they are or compiled: parameters, state and the last loss. */
function trained(optimizer: Optimizer, compiled: boolean, dtype: "float32" | "float64"): string {
  const on = { dtype } as const;
  const error = (p: Tree, x: Tensor, y: Tensor) =>
    x.matmul(p.W!).add(p.b!).tanh().sub(y).square().mean();
  const step = (params: Tree, state: unknown, x: Tensor, y: Tensor) => {
    const [loss, gradients] = valueAndGrad(error)(params, x, y);
    const [moves, next] = optimizer.update(gradients as Tree, state, params);
    return [applyUpdates(params, moves as Tree) as Tree, next, loss] as const;
  };
  const run = compiled ? compile(step) : step;
  let params: Tree = {
    W: tensor(
      [
        [0.5, -0.25, 1],
        [1, 2, 0.1],
      ],
      on,
    ),
    b: tensor([0.1, 0.2, -3], on),
    order: tensor([3, 1], { dtype: "int32" }),
  };
  let state = optimizer.init(params);
  let loss = params.b!.sum();
  for (let i = 0; i < 50; i++) {
    const x = tensor(
      [
        [1, 2],
        [Math.sin(i), 0.5],
      ],
      on,
    );
    [params, state, loss] = run(
      params,
      state,
      x,
      tensor(
        [
          [0, 1, 0],
          [1, 0, 0.5],
        ],
        on,
      ),
    );
  }
  const why = compiled ? (run as ReturnType<typeof compile>).explain() : "";
  if (why.includes("not compiled")) return why;
  return JSON.stringify(
    tree.leavesWithPath([params, state, loss]).map(([path, x]) => [path, x.toArray()]),
  );
}

const compiledStep = (makers: Makers): Law => ({
  name: "compiled",
  statement: "50 compiled training steps have the bits of the same ones uncompiled",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const [names, links, schedules] = [makers, clippers, rates].map((x) => Object.keys(x));
      for (const [i, name] of names!.entries()) {
        const link = links![(seed + i) % links!.length]!;
        const rate = schedules![(seed + 3 * i) % schedules!.length]!;
        const dtype = (seed + i) % 3 === 0 ? "float64" : "float32";
        const make = () =>
          chain({
            clip: clippers[link]!,
            rule: makers[name]!(rates[rate]!),
            cut: plateau({ factor: 0.5 }),
          }) as Optimizer;
        const [found, expected] = [true, false].map((is) => trained(make(), is, dtype));
        tally.check(found === expected, () => `${link}, ${name}, ${rate}, ${dtype}: ${found}`);
      }
      return tally;
    }),
});

/** Two updates of parameters that are large enough for spans, as bytes. */
function updated(optimizer: Optimizer, compiled: boolean, random: () => number): Buffer {
  const all = (): Tree => {
    const values = (n: number) => tensor(Float32Array.from({ length: n }, () => 2 * random() - 1));
    return { W: values(61_001), b: values(9055), last: values(39) };
  };
  const mask = all();
  const update = (gradients: Tree, state: unknown, params: Tree) => {
    const [moves, next] = optimizer.update(gradients, state, params);
    const masked = tree.zip(moves as Tree, mask, (move, m) => move.mul(m));
    return [applyUpdates(params, masked) as Tree, next] as const;
  };
  const run = compiled ? compile(update) : update;
  let params = all();
  let state = optimizer.init(params);
  for (let i = 0; i < 2; i++) [params, state] = run(all(), state, params);
  return Buffer.concat(
    tree.leaves([params, state]).map((x) => Buffer.from(x.toTypedArray().buffer)),
  );
}

const inSpans = (makers: Makers): Law => ({
  name: "spans",
  statement: "compiled updates of large parameters, which run in spans, have the same bits",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const names = Object.keys(makers);
      const name = names[seed % names.length]!;
      const make = () =>
        chain({ clip: clipByGlobalNorm(1), rule: makers[name]!(0.1) }) as Optimizer;
      const [found, expected] = [true, false].map((is) => {
        const random = rng(seed, "spans");
        return updated(make(), is, () => random.uniform());
      });
      tally.check(found!.equals(expected!), () => `${name}: updates in spans differ`);
      return tally;
    }),
});

/** Adam on a parameter, whose gradient is 2 w x. */
function descent() {
  const optimizer = adam({ learningRate: 0.1 });
  const params = { w: tensor([1, 2]) };
  const step = (p: Tree, state: ReturnType<typeof optimizer.init>, x: Tensor) => {
    const [updates, next] = optimizer.update({ w: p.w!.mul(2).mul(x) } as Tree, state, p);
    return [applyUpdates(p, updates) as Tree, next] as const;
  };
  return { step: compile(step), params: params as Tree, state: optimizer.init(params) };
}

const guarded: Law = {
  name: "guarded",
  statement:
    "a compiled step refuses what is not finite by the link's own sentence, and changes nothing",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const { step, ...start } = descent();
      let [params, state] = [start.params, start.state];
      const x = tensor([1, 1 + seed]);
      for (let i = 0; i < 3; i++) [params, state] = step(params, state, x);
      const values = () =>
        JSON.stringify(tree.leavesWithPath([params, state]).map(([, y]) => y.toArray()));
      const before = values();
      const bad = tensor([1, Number.NaN]);
      tally.throws(() => step(params, state, bad), /the gradient of "w" has 1 of 2/, "NaN");
      tally.check(values() === before, () => `${before} became ${values()}`);
      return tally;
    }),
};

const held: Law = {
  name: "held",
  statement: "a compiled step leaves alone what others hold: a view of a moment keeps its value",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const { step, ...start } = descent();
      const x = tensor([1, 1 + seed]);
      const [params, state] = step(start.params, start.state, x);
      const view = (state.m as Tree).w!.slice([[0, 1]]);
      const before = view.item();
      step(params, state, x);
      tally.number(view.item(), before, () => "the view");
      return tally;
    }),
};

const closed: Law = {
  name: "closed over",
  statement:
    "a compiled function does not go on with weights that were consumed, nor repeat a random draw",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const params = { w: tensor([1 + seed]) };
      const predict = compile((x: Tensor) => params.w.mul(x));
      predict(tensor([1]));
      applyUpdates(params, { w: tensor([1]) });
      tally.throws(() => predict(tensor([1])), /consumed by applyUpdates/, "old weights");
      // A loop that captures its parameters and state continues as it does without compile.
      const optimizer = adam({ learningRate: 0.1 });
      let now: Tree = { w: tensor([1, 2 + seed]) };
      let state = optimizer.init(now);
      const loop = compile((x: Tensor) => {
        const [updates, next] = optimizer.update({ w: x.mul(1) } as Tree, state, now);
        now = applyUpdates(now, updates as Tree) as Tree;
        state = next;
        return now.w!.mul(1);
      });
      for (let i = 0; i < 3; i++) loop(tensor([1, 1]));
      tally.number(state.step.item(), 3, () => "updates");
      // A rate that is a function of plain numbers is called in every update.
      const slowing = sgd({ learningRate: (done: number) => 1 / (1 + done) });
      const slow = compile((p: Tree, s: ReturnType<typeof slowing.init>) => {
        const [updates, next] = slowing.update({ w: p.w!.mul(0).add(1) } as Tree, s, p);
        return [applyUpdates(p, updates as Tree) as Tree, next] as const;
      });
      let [at, done] = [{ w: tensor([0]) } as Tree, slowing.init(tensor([0]))];
      for (let i = 0; i < 2; i++) [at, done] = slow(at, done);
      tally.number(at.w!.item(), -1.5, () => "two steps of 1 / (1 + step)");
      const random = rng(seed);
      const noisy = compile((x: Tensor) => x.mul(random.uniform()));
      const [a, b] = [noisy(tensor(1)).item(), noisy(tensor(1)).item()];
      tally.check(a !== b, () => `drew ${a} twice`);
      tally.check(/generator was drawn/.test(noisy.explain()), () => noisy.explain());
      return tally;
    }),
};

const plateaus: Law = {
  name: "plateau",
  statement:
    "metrics of any sign improve by a share of the best one's size, and cut when they do not",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const random = rng(seed, "plateau");
      for (const mode of ["min", "max"] as const) {
        const link = plateau({ mode, factor: 0.5, patience: 2, threshold: 0.1, cooldown: 1 });
        let state = link.init({});
        let [scale, best, bad, cooling] = [1, mode === "min" ? Infinity : -Infinity, 0, 0];
        const level = random.normal();
        for (let i = 0; i < 30; i++) {
          const metric = level + 0.1 * random.normal();
          state = link.report(metric, state);
          const margin = Number.isFinite(best) ? 0.1 * Math.abs(best) : 0;
          const isBetter = mode === "min" ? metric < best - margin : metric > best + margin;
          [best, bad] = isBetter ? [metric, 0] : [best, bad + 1];
          if (cooling > 0) [cooling, bad] = [cooling - 1, 0];
          if (bad > 2) [scale, cooling, bad] = [scale * 0.5, 1, 0];
          tally.number(state.scale.item(), scale, () => `${mode}, metric ${i} around ${level}`);
        }
      }
      return tally;
    }),
};

/** Laws of whole training steps. */
export function stepLaws(makers: Makers): Law[] {
  return [compiledStep(makers), inSpans(makers), guarded, held, closed, plateaus];
}
