import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { applyUpdates, crossEntropy, embedding, init, linear, rng } from "@chronograd/nn";
import {
  defineCell,
  initialParams,
  initialState,
  sequential,
  type TimeStep,
  truncated,
} from "@chronograd/rnn";
import { cellTable } from "@chronograd/rnn/testing";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import {
  between,
  type Model,
  type Options,
  oneOf,
  type Params,
  problem,
  type State,
} from "./truncation/problem.ts";

const vectorCells = cellTable().filter(({ isVector }) => isVector);

/** Long enough for plans to be made, and for a short window at the end. */
export function drawn(seed: number) {
  const { model } = problem(seed);
  const random = rng(seed, "planned");
  const draw = (shape: readonly number[]): Tensor => {
    const size = shape.reduce((n, length) => n * length, 1);
    const values = Float64Array.from({ length: size }, () => random.normal());
    return tensor(values, { shape });
  };
  const params = tree.map(initialParams(model, random, { dtype: "float64" }), (x: Tensor) =>
    x.add(draw(x.shape).mul(0.3)),
  ) as unknown as Params;
  const state = tree.map(
    initialState({ state: model.state }, 2, { dtype: "float64" }),
    (x: Tensor) => draw(x.shape),
  ) as unknown as State;
  // Cuts that fall between chunks of some steps.
  const chunk = between(random, 1, 4);
  const k1 = chunk * between(random, 1, 2);
  const T = between(random, 4 * k1, 4 * k1 + 14);
  const steps: TimeStep[] = Array.from({ length: T }, () => ({
    input: draw([2, 2]),
    target: draw([2, 3]),
  }));
  const losses = oneOf(random, ["new", "endpoint", "window"] as const);
  const options: Options = {
    k1,
    k2: k1 + chunk * between(random, 0, 2),
    losses,
    multiplicity: losses === "window" && oneOf(random, [true, false]),
    reduction: oneOf(random, ["sum", "mean"] as const),
    stale: oneOf(random, ["carry", "carry", "defer"] as const),
    measure: (window) => window % 3 === 2,
    state,
  };
  return { model, params, steps, options, updates: oneOf(random, [true, false]), loss: squares };
}

/** A stream, and whether its parameters change from window to window. */
export type Drawn = ReturnType<typeof drawn>;

const squares = (y: Tensor, target: Tensor): Tensor => y.sub(target).square().sum(-1);

/** A cell whose outputs are products with the table that its inputs were looked up in. */
function tied(count: number) {
  return defineCell({
    params: () => ({
      E: init.normal(1, count, 3),
      W: init.normal(1, 3, 3),
      U: init.normal(1, 3, 3),
    }),
    state: () => ({ h: init.zeros(3) }),
    step: ({ E, W, U }, x: Tensor, { h }) => {
      const next = E.gather(x).matmul(W).add(h.matmul(U)).tanh();
      return [next.matmul(E, { transposeB: true }), { h: next }];
    },
  })({ input: 1, hidden: 1 });
}

const nats = (y: Tensor, target: Tensor): Tensor => crossEntropy(y, target, { reduction: "none" });

/**
 * The same cuts on a stream of a few symbols, each of which is looked up more often than there are.
 */
export function drawnSymbols(seed: number): Drawn {
  const { options, updates } = drawn(seed);
  const random = rng(seed, "symbols");
  const [count, rows] = [between(random, 1, 3), between(random, 4, 6)];
  const plain = sequential({
    symbols: embedding({ input: count, output: 2 }),
    cell: oneOf(random, vectorCells).make({ input: 2, hidden: 3 }),
    head: linear({ input: 3, output: count }),
  });
  const model = oneOf(random, [plain, tied(count)]) as unknown as Model;
  const params = initialParams(model, random, { dtype: "float64" }) as unknown as Params;
  const symbols = (): Tensor =>
    tensor(Int32Array.from({ length: rows }, () => random.integer(0, count)));
  const T = between(random, 2, 5) * options.k1 + 1;
  const steps = Array.from({ length: T }, () => ({ input: symbols(), target: symbols() }));
  const { state: _, ...rest } = options;
  return { model, params, steps, options: rest, updates, loss: nats };
}

export interface Seen {
  readonly gradients: Record<string, number[]>;
  readonly state: Record<string, number[]>;
  readonly losses: readonly number[];
  readonly loss: number;
  readonly norms: readonly number[];
  readonly span: readonly number[];
}

/** What a stream yields while its parameters are updated, or not. */
export function run(
  model: Model,
  first: Params,
  steps: readonly TimeStep[],
  options: Options,
  updates: boolean,
  loss: (y: Tensor, target: Tensor) => Tensor,
): Seen[] {
  let params = tree.map(first, (x: Tensor) => x.clone()) as Params;
  const numbers = (nested: unknown): Record<string, number[]> => {
    const found: Record<string, number[]> = {};
    tree.map(nested, (x: Tensor, path) => {
      found[path] = [...x.toTypedArray()];
    });
    return found;
  };
  return Array.from(truncated(model, params, steps, { ...options, loss }), (window) => {
    const { start, newFrom, end, count, gradientCount, stateGradientNorms = [] } = window;
    const seen = {
      gradients: numbers(window.gradients),
      state: numbers(window.state),
      losses: window.losses,
      loss: window.loss,
      norms: stateGradientNorms,
      span: [start, newFrom, end, count, gradientCount],
    };
    if (updates) {
      const step = tree.map(window.gradients, (g: Tensor) => g.mul(-0.03)) as unknown as Params;
      params = applyUpdates(params, step) as Params;
    }
    return seen;
  });
}

const windows: Law = {
  name: "planned windows",
  statement: "a stream that runs as plans yields the windows of the same stream on a tape",
  bound: 1e-10,
  measure(seed) {
    const tally = new Tally();
    for (let draw = 0; draw < draws; draw++) {
      scope(() => compare(drawn(draws * seed + draw), tally));
    }
    return tally;
  },
};

const symbols: Law = {
  name: "planned symbols",
  statement:
    "a stream of looked-up symbols that runs as plans yields the windows of the same on a tape",
  bound: 1e-10,
  measure(seed) {
    const tally = new Tally();
    for (let draw = 0; draw < draws; draw++) {
      scope(() => compare(drawnSymbols(draws * seed + draw), tally));
    }
    return tally;
  },
};

/** How many streams are drawn for each seed. */
const draws = 8;

function compare({ model, params, steps, options, updates, loss }: Drawn, tally: Tally): void {
  const plain = run(model, params, steps, { ...options, compile: false }, updates, loss);
  const planned = run(model, params, steps, { ...options, compile: true }, updates, loss);
  tally.check(
    plain.length === planned.length,
    () => `${planned.length} windows, expected ${plain.length}`,
  );
  for (const [j, found] of planned.entries()) {
    const expected = plain[j]!;
    tally.bits(found.span, expected.span, `window ${j}, span`);
    tally.trees(found.gradients, expected.gradients, `window ${j}, gradient`);
    tally.trees(found.state, expected.state, `window ${j}, state`);
    tally.list(found.losses, expected.losses, `window ${j}, losses`);
    tally.list(found.norms, expected.norms, `window ${j}, norms`);
  }
}

/** What runs as a plan is what runs on a tape. */
export function plannedSubject(): Subject {
  return { name: "truncated, as plans", group: "truncated streams", laws: [windows, symbols] };
}
