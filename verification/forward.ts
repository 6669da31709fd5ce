import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Initializer, isInitializer, type Rng, rng } from "@chronograd/nn";
import {
  type Cell,
  elman,
  initialParams,
  type TimeStep,
  truncated,
  type Window,
} from "@chronograd/rnn";
import { kfRtrl, rtrl, snap, uoro } from "@chronograd/rnn/estimators";
import { cellTable } from "@chronograd/rnn/testing";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";
import { oneOf } from "./truncation/problem.ts";

type Model = Cell<unknown, unknown, Tensor, unknown>;
type Step = TimeStep<Tensor, Tensor>;

interface Problem {
  readonly cell: Model;
  readonly params: never;
  readonly steps: readonly Step[];
}

/**
 * Ops that keep a state of moderate size moderate; those of two values mix units and parameters.
 */
const parts: readonly ((a: Tensor, b: Tensor, W: Tensor, v: Tensor) => Tensor)[] = [
  (a) => a.tanh(),
  (a) => a.sigmoid(),
  (a) => a.square().add(1).rsqrt(),
  (a) => a.softmax(1),
  (a) => a.sub(a.mean(1, { keepDims: true })),
  (a, b) => a.mul(b).tanh(),
  (a, b) => a.sub(b).sin(),
  (a, _, W) => a.matmul(W),
  (a, _, __, v) => a.mul(v),
  (a, b, _, v) => a.add(v).mul(b.sigmoid()),
  (a, _, W) => a.matmul(W.tanh().transpose()),
];

const drawnBy = (shape: readonly number[]): Initializer => ({
  shape,
  draw: (random) =>
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
});

/** A cell whose step is a random program of its input, two states and two parameters. */
function randomCell(random: Rng): Model {
  const plan = Array.from({ length: random.integer(3, 9) }, (_, i) => ({
    part: oneOf(random, parts),
    a: random.integer(0, i + 3),
    b: random.integer(0, i + 3),
  }));
  const cell: Cell<unknown, unknown> = {
    params: { W: drawnBy([3, 3]), v: drawnBy([3]) },
    state: { h: drawnBy([3]), s: drawnBy([3]) },
    step(params, x, state) {
      const { W, v } = params as { W: Tensor; v: Tensor };
      const { h, s } = state as { h: Tensor; s: Tensor };
      const made = [x, h, s];
      for (const { part, a, b } of plan) made.push(part(made[a]!, made[b]!, W, v));
      const [next, other] = made.slice(-2) as [Tensor, Tensor];
      return [next.add(h).add(v), { h: next.mul(0.8), s: other.tanh() }];
    },
  };
  return cell as Model;
}

/** A model, built in or random, with a stream of two rows that has masks and resets. */
function problemOf(seed: number, length = 6): Problem {
  const random = rng(seed, "forward");
  const row = oneOf(random, cellTable());
  const isRandom = random.uniform() < 0.5;
  const cell = isRandom ? randomCell(random.split("cell")) : (row.make() as unknown as Model);
  const rows = 2;
  const input = () => (isRandom ? normal(random, [rows, 3]) : row.input(random, rows)) as Tensor;
  const bits = () => tensor(Int32Array.from({ length: rows }, () => random.integer(0, 2)));
  const steps = Array.from({ length }, (): Step => {
    const marks = random.uniform() < 0.3 ? { mask: bits() } : {};
    const resets = random.uniform() < 0.3 ? { reset: bits() } : {};
    return {
      input: input(),
      target: tensor(random.normal(), { dtype: "float64" }),
      ...marks,
      ...resets,
    };
  });
  const params = tree.map(
    cell.params,
    ({ shape }: Initializer) => normal(random, shape).mul(0.7),
    isInitializer,
  ) as never;
  return { cell, params, steps };
}

const loss = (y: unknown, target: Tensor): Tensor => tree.leaves(y)[0]!.mul(target).sin();

type Windows = Iterable<Pick<Window<unknown, unknown>, "gradients">>;

/** The gradients of all windows, added up. */
function total(windows: Windows): number[] {
  let sum: number[] = [];
  for (const { gradients } of windows) {
    const own = tree.leaves(gradients).flatMap((g) => values(g));
    sum = own.map((value, i) => value + (sum[i] ?? 0));
  }
  return sum;
}

function full({ cell, params, steps }: Problem): number[] {
  return total(truncated(cell, params, steps, { k1: Infinity, k2: Infinity, loss }));
}

/** Two gradients beside the largest element of the second. */
function compare(tally: Tally, found: readonly number[], expected: readonly number[]): void {
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  tally.check(found.length === expected.length, () => "another number of parameters");
  expected.forEach((value, i) => {
    tally.add(Math.abs(value - found[i]!) / scale, () => `element ${i}`);
  });
}

const exact: Law = {
  name: "exact",
  statement:
    "gradients carried forwards by rtrl, and by snap of a high order, add up to that of full BPTT, with masks and resets, step by step and compiled",
  bound: 1e-10,
  measure(seed) {
    const tally = new Tally();
    const problem = problemOf(seed);
    const { cell, params, steps } = problem;
    const k1 = 1 + (seed % 4);
    const compile = seed % 3 === 0;
    const expected = full(problem);
    compare(tally, total(rtrl(cell, params, steps, { k1, loss, compile })), expected);
    compare(tally, total(snap(cell, params, steps, { k1, loss, order: 99 })), expected);
    return tally;
  },
};

/** Signs of a pattern, one bit each. */
function signsOf(pattern: number): Rng {
  let at = 0;
  return { bits: () => ((pattern >> at++) & 1) * 2 ** 31 } as unknown as Rng;
}

const unbiased: Law = {
  name: "unbiased",
  statement:
    "the mean of uoro over all random signs, and of kfRtrl, is the gradient of full BPTT, on an Elman cell of two units",
  bound: 1e-10,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "unbiased");
    const cell = elman({ input: 1, hidden: 2 });
    const params = tree.map(initialParams(cell, rng(seed), { dtype: "float64" }), (x: Tensor) =>
      normal(random, x.shape),
    );
    const steps = Array.from({ length: 3 }, (): Step => {
      return {
        input: normal(random, [1, 1]),
        target: tensor(random.normal(), { dtype: "float64" }),
      };
    });
    const options = { k1: 2, loss };
    const expected = total(truncated(cell, params, steps, { ...options, k2: Infinity }));
    // Signs of the first two steps; nothing reads what the third adds.
    for (const [estimator, signs] of [
      [uoro, 4],
      [kfRtrl, 6],
    ] as const) {
      const mean = expected.map(() => 0);
      for (let pattern = 0; pattern < 2 ** signs; pattern++) {
        const draws = signsOf(pattern);
        total(estimator(cell, params, steps, { ...options, draws })).forEach((value, i) => {
          mean[i]! += value / 2 ** signs;
        });
      }
      compare(tally, mean, expected);
    }
    return tally;
  },
};

/** Gradients carried forwards. */
export function forwardSubject(): Subject {
  return { name: "forward estimators", group: "estimators", laws: [exact, unbiased] };
}
