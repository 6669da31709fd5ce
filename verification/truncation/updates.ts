import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { applyUpdates, sgd } from "@chronograd/nn";
import { defineCell, truncated, type Window } from "@chronograd/rnn";
import { Tally } from "../tally.ts";
import { expectedOf, run, spans } from "./definition.ts";
import { oneOf, type Params, type Problem, problem, type State } from "./problem.ts";
import { copyOf, law, words } from "./windows.ts";

type Step = (params: Params, window: Window<Params, State>) => Params;

/**
 * Runs a stream with an update after every window, and calls `seen` with each window before the
 * update.
 */
function training(
  { model, params, state, steps, loss }: Problem,
  options: { k1: number; k2: number; stale: "carry" | "recompute"; losses: "new" | "window" },
  update: Step,
  seen: (window: Window<Params, State>, generations: readonly Params[]) => void,
): void {
  let now = copyOf(params);
  const generations = [copyOf(now)];
  for (const found of truncated(model, now, steps, { compile: false, ...options, state, loss })) {
    const window = found as unknown as Window<Params, State>;
    seen(window, generations);
    now = update(now, window);
    generations.push(copyOf(now));
  }
}

/** A way to take a step: by an optimizer, or by custom updates. */
function stepOf({ random }: Problem): Step {
  const learningRate = 0.05;
  const optimizer = sgd({ learningRate });
  const own: Step = (params, { gradients }) =>
    applyUpdates(
      params,
      tree.map(gradients, (g: Tensor) => g.mul(-learningRate)) as never,
    ) as Params;
  let state: ReturnType<typeof optimizer.init> | undefined;
  const theirs: Step = (params, { gradients }) => {
    const [updates, next] = optimizer.update(gradients, state ?? optimizer.init(params), params);
    state = next;
    return applyUpdates(params, updates as never) as Params;
  };
  return oneOf(random, [own, theirs]);
}

const carry = law(
  "carry",
  "g_j sums over its steps with the weights that each step ran with when it was new",
  1e-12,
  (seed, tally) => {
    const p = problem(seed);
    const losses = oneOf(p.random, ["new", "window"] as const);
    const options = { k1: p.k1, k2: p.k2, stale: "carry" as const, losses };
    let j = 0;
    training(p, options, stepOf(p), (window, generations) => {
      const span = spans(p)[j]!;
      const ages = (t: number) => generations[Math.ceil(t / p.k1) - 1]!;
      const expected = run(p, ages, p.state, { to: span.end }, (found) =>
        expectedOf(found, span, options),
      );
      const where = `${words(p, options)}, window ${j++}:`;
      tally.trees(window.gradients, expected.gradients, `${where} gradient by`);
      tally.list(window.losses, expected.losses, `${where} losses`);
    });
  },
);

const recompute = law(
  "recompute",
  "g_j runs all its steps with today's weights, from the state that the latest run left at s_j",
  1e-12,
  (seed, tally) => {
    const p = problem(seed);
    const losses = oneOf(p.random, ["new", "window"] as const);
    const options = { k1: p.k1, k2: p.k2, stale: "recompute" as const, losses };
    const states = new Map([[0, p.state]]);
    let j = 0;
    training(p, options, stepOf(p), (window, generations) => {
      const span = spans(p)[j]!;
      const today = generations[j]!;
      const before = states.get(span.start)!;
      const expected = run(
        p,
        () => today,
        before,
        { from: span.start, to: span.end },
        (found) => expectedOf(found, span, options),
      );
      const where = `${words(p, options)}, window ${j++}:`;
      tally.trees(window.gradients, expected.gradients, `${where} gradient by`);
      tally.list(window.losses, expected.losses, `${where} losses`);
      let state = before;
      for (let t = span.start + 1; t <= span.end; t++) {
        [, state] = p.model.step(today, p.steps[t - 1]!.input, state);
        states.set(t, state);
      }
    });
  },
);

/** A cell of one weight and a state of one number, float64. */
const scalar = (value: number) => tensor(value, { dtype: "float64" });
const nothing = { input: tensor([[0]]), target: tensor([[0]]) };

const closed = law(
  "closed form",
  "x_t = w x_{t-1}, loss x_t, k1 = 1: g_t = x_{t-1} (1 + ... + 1) over min(t, k2) steps",
  1e-14,
  (seed, tally) => {
    const cell = defineCell({
      params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.2) } }),
      state: () => ({ x: { shape: [1], draw: () => Float64Array.of(0.9) } }),
      step: ({ w }, _input: Tensor, { x }) => {
        const next = w.mul(x);
        return [next, { x: next }];
      },
    })({ input: 1, hidden: 1 });
    const [w, first] = [0.2 + (seed % 7) / 10, 0.9];
    const state = { x: tensor([[first]], { dtype: "float64" }) };
    for (const stale of ["carry", "recompute"] as const) {
      for (const k2 of [1, 2, 3, 10]) {
        const options = { k1: 1, k2, stale, state, loss: (x: Tensor) => x };
        const steps = Array.from({ length: 5 }, () => nothing);
        const found = Array.from(
          truncated(cell, { w: scalar(w) }, steps, { compile: false, ...options }),
          ({ gradients }) => gradients.w.item(),
        );
        // d/dw of w^n x_{t-n} with x_{t-n} held: n w^(n-1) x_{t-n} = n x_{t-1}.
        const expected = found.map((_, i) => Math.min(i + 1, k2) * first * w ** i);
        tally.list(found, expected, `${stale}, w ${w}, k2 ${k2}`);
      }
    }
  },
);

const parameterState = law(
  "state = weight",
  "a state that is a parameter itself is cut like any other: y_t = w of the step before, g = 1 within reach",
  0,
  (_seed, tally) => {
    const lag = defineCell({
      params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.5) } }),
      state: () => ({ h: { shape: [], draw: () => Float64Array.of(0) } }),
      step: ({ w }, _: Tensor, { h }) => [h.mul(1), { h: w }],
    })({ input: 1, hidden: 1 });
    for (const stale of ["carry", "recompute"] as const) {
      for (const k2 of [1, 2, 3]) {
        const found = Array.from(
          truncated(lag, { w: scalar(0.5) }, [nothing, nothing, nothing], {
            compile: false,
            k1: 1,
            k2,
            stale,
            loss: (y: Tensor) => y.sum(),
            state: { h: scalar(0) },
          }),
          ({ gradients }) => gradients.w.item(),
        );
        tally.list(found, k2 === 1 ? [0, 0, 0] : [0, 1, 1], `${stale}, k2 ${k2}`);
      }
    }
  },
);

const absent = law(
  "before the cut",
  "nothing flows to what acted before s_j alone: exactly 0, not small",
  0,
  (seed, tally) => {
    const p = problem(seed, { plain: true });
    const cell = defineCell({
      params: () => ({
        first: { shape: [], draw: () => Float64Array.of(0.7) },
        w: { shape: [], draw: () => Float64Array.of(0.5) },
      }),
      state: () => ({ h: { shape: [], draw: () => Float64Array.of(0.1) } }),
      step: ({ first, w }, x: Tensor, { h }) => {
        const next = x.item() === 1 ? h.add(first) : h.mul(w).tanh();
        return [next, { h: next }];
      },
    })({ input: 1, hidden: 1 });
    const steps = Array.from({ length: p.T + 2 }, (_, i) => ({
      input: scalar(i === 0 ? 1 : 0),
      target: nothing.target,
    }));
    for (const stale of ["carry", "recompute"] as const) {
      const options = { k1: p.k1, k2: p.k2, stale, state: { h: scalar(0.1) } };
      const params = { first: scalar(0.7), w: scalar(0.5) };
      const stream = truncated(cell, params, steps, {
        compile: false,
        ...options,
        loss: (y: Tensor) => y.square(),
      });
      for (const { gradients, start, index } of stream) {
        const g = gradients.first.item();
        const where = `${words(p, { k1: p.k1, k2: p.k2, stale })}, window ${index}`;
        tally.check(
          (g === 0) === start > 0,
          () => `${where}: the gradient by the first step is ${g}`,
        );
      }
    }
  },
);

const bounded: Law = {
  name: "bounded",
  statement: "the tape holds k2 steps and no more: as many entries at T = 40 as at T = 160",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const p = problem(seed, { plain: true });
      const peak = (T: number) => {
        const steps = Array.from({ length: T }, (_, i) => p.steps[i % p.T]!);
        const stream = truncated(p.model, p.params, steps, {
          compile: false,
          k1: p.k1,
          k2: p.k2,
          loss: p.loss,
        });
        return Math.max(...Array.from(stream, ({ entries }) => entries));
      };
      const one = truncated(p.model, p.params, [p.steps[0]!], {
        compile: false,
        k1: 1,
        k2: 1,
        loss: p.loss,
      });
      const perStep = one.next().value!.entries;
      one.return();
      const [short, long] = [peak(40), peak(160)];
      tally.number(long, short, () => "entries at T = 160 beside T = 40");
      tally.number(long, p.k2 * perStep, () => `entries for k2 ${p.k2}`);
      return tally;
    }),
};

const refused = law(
  "refused",
  "k2 < k1, and options that contradict each other, throw a sentence",
  0,
  (seed, tally) => {
    const p = problem(seed);
    const call = (options: object) => () =>
      truncated(p.model, p.params, p.steps, { k1: 2, k2: 3, loss: p.loss, ...options });
    tally.throws(call({ k1: p.k2 + 1, k2: p.k2 }), /k2 must be at least k1/, "k2 below k1");
    tally.throws(call({ multiplicity: true }), /multiplicity needs losses/, "multiplicity alone");
    tally.throws(call({ k1: 0 }), /k1 must be a whole number/, "k1 of 0");
  },
);

/** Laws with weights that change, closed forms, and refusals. */
export const movingLaws: readonly Law[] = [
  carry,
  recompute,
  closed,
  parameterState,
  absent,
  bounded,
  refused,
];
