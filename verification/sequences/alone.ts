import {
  concat,
  detach,
  isTensor,
  scope,
  Tape,
  type Tensor,
  tensor,
  tree,
} from "@chronograd/autodiff";
import { embedding, init, type Rng, rng } from "@chronograd/nn";
import {
  defineCell,
  gru,
  initialParams,
  initialState,
  sequential,
  type TimeStep,
} from "@chronograd/rnn";
import { cellTable, symbols } from "@chronograd/rnn/testing";
import { type Numbers, numbers, total } from "../tally.ts";
import {
  between,
  type Model,
  type Options,
  oneOf,
  type Params,
  type State,
} from "../truncation/problem.ts";

/** A stream with marks: `[t - 1][row]`. */
export interface Marked {
  readonly random: Rng;
  readonly model: Model;
  readonly params: Params;
  readonly T: number;
  readonly B: number;
  readonly burnIn: number;
  /** Whole steps, without marks and padding. */
  readonly steps: readonly TimeStep[];
  readonly mask: readonly (readonly number[])[];
  readonly resets: readonly (readonly number[])[];
  readonly options: Options & { readonly k1: number; readonly k2: number };
}

export const int32 = (values: readonly number[]): Tensor => tensor(Int32Array.from(values));

/** Squares, one for each row. */
export const losses = (y: Tensor, target: Tensor): Tensor => {
  const each = y.sub(target).square();
  return each.rank > 1 ? each.sum(Array.from({ length: each.rank - 1 }, (_, i) => i + 1)) : each;
};

/** A cell with a learned initial state, two parts of a state, and no bias. */
const learned = defineCell({
  params: () => ({ w: init.normal(1, 2, 3), u: init.normal(1, 3, 3), start: init.normal(1, 3) }),
  state: () => ({ h: init.zeros(3), sum: { all: init.zeros(3) } }),
  initial: ({ start }, batch) => {
    const h = start.broadcastTo([batch, 3]);
    return { h, sum: { all: h.mul(2) } };
  },
  step: ({ w, u }, x: Tensor, { h, sum }) => {
    const next = x.matmul(w).add(h.matmul(u)).tanh();
    return [next.add(sum.all.sin()), { h: next, sum: { all: sum.all.add(next) } }];
  },
})({ input: 2, hidden: 3 }) as unknown as Model;

/** Symbols in: an index that is not there is refused wherever it is looked up. */
const symbolic = sequential({
  embedding: embedding({ input: 4, output: 2 }),
  cell: gru({ input: 2, hidden: 3 }),
}) as unknown as Model;

interface Drawing {
  readonly model: Model;
  input(random: Rng, batch: number): Tensor;
}

let made: Drawing[] | undefined;

/** Every built-in cell that draws no noise and gives one tensor, and these two. */
function drawings(): Drawing[] {
  made ??= scope(listed);
  return made;
}

/** The state before the first step, which parameters decide where it is learned. */
const begin = (model: Model, params: Params, batch: number): State =>
  model.initial?.(params, batch) ?? initialState(model, batch, { dtype: "float64" });

/** Whether all of its inputs and its one output have rows. */
function hasRows({ model, input }: Drawing): boolean {
  const x = input(rng(1), 2);
  const params = initialParams(model, rng(1), { dtype: "float64" });
  const [output] = model.step(params, x, begin(model, params, 2));
  return isTensor(output) && tree.leaves([x, output]).every(({ shape }) => shape[0] === 2);
}

function listed(): Drawing[] {
  const builtIn = cellTable().map(({ make, input }) => ({ model: make(), input }));
  const vectors = (random: Rng, batch: number) => {
    const values = Float64Array.from({ length: 2 * batch }, () => random.normal());
    return tensor(values, { shape: [batch, 2] });
  };
  return [
    ...builtIn.filter((each) => each.model.noise === undefined && hasRows(each)),
    { model: learned, input: vectors },
    { model: symbolic, input: symbols(4) },
  ];
}

/** Draws a stream, its marks and its options. */
export function marked(seed: number): Marked {
  const random = rng(seed, "marked");
  const { model, input: inputOf } = oneOf(random, drawings());
  const [T, B] = [between(random, 1, 9), between(random, 1, 4)];
  const draw = (shape: readonly number[]): Tensor => {
    const size = shape.reduce((n, length) => n * length, 1);
    return tensor(
      Float64Array.from({ length: size }, () => random.normal()),
      { shape },
    );
  };
  const params = tree.map(
    initialParams(model, random.split("params"), { dtype: "float64" }),
    (x: Tensor) => (x.dtype === "int32" ? x : x.add(draw(x.shape).mul(0.2))),
  ) as Params;
  const input = () => inputOf(random, B);
  const [output] = model.step(params, input(), begin(model, params, B));
  const steps = Array.from({ length: T }, () => ({ input: input(), target: draw(output.shape) }));
  const share = oneOf(random, [0.2, 0.6, 1]);
  const often = oneOf(random, [0, 0.2, 0.5]);
  const isGone = Array.from({ length: B }, () => random.uniform() < 0.15);
  const table = (what: (row: number) => boolean) =>
    Array.from({ length: T }, () => {
      const isEmpty = random.uniform() < 0.1;
      return Array.from({ length: B }, (_, r) => Number(what(r) && !(isEmpty && share < 1)));
    });
  const k1 = between(random, 1, 4);
  const losses = oneOf(random, ["new", "endpoint", "window"] as const);
  return {
    random,
    model,
    params,
    T,
    B,
    burnIn: Math.min(T - 1, oneOf(random, [0, 0, 1, 3])),
    steps,
    mask: table((r) => !isGone[r] && random.uniform() < share),
    resets: table(() => random.uniform() < often),
    options: {
      k1,
      k2: k1 + between(random, 0, 5),
      losses,
      multiplicity: losses === "window" && oneOf(random, [true, false]),
      reduction: oneOf(random, ["sum", "mean"] as const),
      stale: oneOf(random, ["carry", "recompute", "defer"] as const),
      compile: oneOf(random, [true, false]),
    },
  };
}

/** The steps with their marks; NaN, infinities or indices that are not there in the padding. */
export function withPadding({ steps, mask, resets, random }: Marked): TimeStep[] {
  const garbage = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300];
  const spoiled = (x: Tensor, present: readonly number[]): Tensor => {
    const width = x.size / present.length;
    const values = x.toTypedArray().map((value, i) => {
      if (present[Math.floor(i / width)] === 1) return value;
      return x.dtype === "int32" ? oneOf(random, [-1, 2 ** 30]) : oneOf(random, garbage);
    });
    return tensor(values, { shape: x.shape });
  };
  return steps.map(({ input, target }, t) => ({
    input: tree.map(input, (x: Tensor) => spoiled(x, mask[t]!)) as unknown as Tensor,
    target: spoiled(target, mask[t]!),
    mask: int32(mask[t]!),
    reset: int32(resets[t]!),
  }));
}

/** What one row gives alone, with the steps that it has. */
export interface Alone {
  /** By step, from 1; `undefined` where the row has none. */
  readonly outputs: readonly (Tensor | undefined)[];
  /** The losses of its steps after `start`, by step. */
  readonly losses: readonly number[];
  readonly state: Numbers;
  readonly gradient: Numbers;
}

/**
 * By definition: row `row` runs alone, in the order of `times`, with only the steps that it has,
 * and a reset gives it a new initial state. Its gradient is that of the weighted losses, with the
 * state before the first step after `start` held constant.
 */
export function rowAlone(
  { model, params, steps, mask, resets }: Marked,
  row: number,
  times: readonly number[],
  {
    start = 0,
    weight = () => 1,
    isReset = (t) => resets[t - 1]![row] === 1,
  }: {
    readonly start?: number;
    readonly weight?: (t: number) => number;
    readonly isReset?: (t: number) => boolean;
  } = {},
): Alone {
  const own = (batch: Tensor): Tensor =>
    tree.map(batch, (x: Tensor) => x.slice([[row, row + 1]])) as unknown as Tensor;
  const fresh = (weights: Params): State => begin(model, weights, 1);
  const tape = new Tape();
  const watched = tape.watch(params) as Params;
  const outputs: (Tensor | undefined)[] = [];
  const found: number[] = [];
  const terms: Tensor[] = [];
  let state = fresh(start < 1 ? watched : params);
  for (const t of times) {
    const weights = t > start ? watched : params;
    if (t === start + 1 && start > 0) state = tree.map(state, (x: Tensor) => detach(x)) as State;
    if (isReset(t)) state = fresh(weights);
    if (mask[t - 1]![row] !== 1) continue;
    const { input, target } = steps[t - 1]!;
    const [output, next] = model.step(weights, own(input), state);
    state = next;
    outputs[t] = detach(output);
    if (t <= start) continue;
    const loss = losses(output, own(target)).sum();
    found[t] = loss.item();
    if (weight(t) !== 0) terms.push(loss.mul(weight(t)));
  }
  const zeros = () => tree.map(params, (x: Tensor) => x.mul(0));
  const gradient = terms.length === 0 ? zeros() : tape.gradient(terms, watched);
  return { outputs, losses: found, state: numbers(state), gradient: numbers(gradient) };
}

/** Rows of states or outputs below each other. */
export function below(rows: readonly Numbers[]): Numbers {
  return Object.fromEntries(
    Object.keys(rows[0]!).map((path) => [path, rows.flatMap((row) => Array.from(row[path]!))]),
  );
}

/** The outputs of rows alone as one batch in time; 0 where a row has no step. */
export function inTime(rows: readonly Alone[], times: readonly number[], like: Tensor): Tensor {
  const zero = like.slice([[0, 1]]).mul(0);
  return concat(times.flatMap((t) => rows.map(({ outputs }) => outputs[t] ?? zero)));
}

/** The gradients of all rows added up, times a factor. */
export function sumOf(gradients: readonly Numbers[], factor: number): Numbers {
  return Object.fromEntries(
    Object.entries(total(gradients)).map(([path, g]) => [path, g.map((x) => x * factor)]),
  );
}
