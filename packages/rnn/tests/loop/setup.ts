import { scope, Tape, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { embedding, init, linear, type Rng, rng } from "@chronograd/nn";
import {
  attentionCell,
  bidirectional,
  defineCell,
  elman,
  gru,
  initialState,
  learnedState,
  lstm,
  sequential,
  stacked,
  type UnrollOptions,
  unroll,
} from "../../src/index.ts";
import { drawParams } from "../../src/testing/draw.ts";
import { cellTable } from "../../src/testing.ts";
import { noisyCells } from "../models/noisy.ts";
import { type Numbers, numbers } from "../truncated/setup.ts";

/** A model without its types. */
export interface AnyModel {
  readonly params: unknown;
  readonly state: unknown;
  readonly noise?: unknown;
}

/** A model, and how one input of a batch is drawn for it. */
export interface ModelRow {
  readonly model: AnyModel;
  input(random: Rng, batch: number): unknown;
  context?(random: Rng, batch: number): unknown;
  /** Runs both ways, so that it takes no burn-in. */
  readonly isWhole?: boolean;
  /** Reads indices from its state, whose range no plan knows. */
  readonly isUnplanned?: boolean;
  /** Has no parameter that would tell the dtype. */
  readonly needsState?: boolean;
}

/** Random elements of a shape, float64. */
export function drawn(random: Rng, ...shape: number[]): Tensor {
  const length = shape.reduce((n, each) => n * each, 1);
  return tensor(
    Float64Array.from({ length }, () => random.normal()),
    { shape },
  );
}

/** Random whole numbers below `count`. */
export function whole(random: Rng, count: number, ...shape: number[]): Tensor {
  const length = shape.reduce((n, each) => n * each, 1);
  return tensor(
    Int32Array.from({ length }, () => random.integer(0, count)),
    { shape },
  );
}

const sizes = { input: 2, hidden: 3 };
const upper = { input: 3, hidden: 3 };

/** Whole numbers go in, come out, and stand in the state. */
const counting = defineCell({
  params: ({ hidden }) => ({ table: init.normal(1, 4, hidden), U: init.glorot(hidden, hidden) }),
  state: ({ hidden }) => ({
    h: init.zeros(hidden),
    last: init.zeros({ dtype: "int32" }),
    seen: init.zeros(1, { dtype: "int32" }),
  }),
  step: ({ table, U }, x: Tensor, { h, last, seen }) => {
    const next = table.gather(x).mul(table.gather(last)).add(h.matmul(U)).tanh();
    const more = seen.cast("float64").add(1).cast("int32");
    return [
      { y: next, count: more },
      { h: next, last: x, seen: more },
    ];
  },
})({ input: 4, hidden: 3 });

/** Inputs of two parts, one of them a row of whole numbers; outputs of two parts. */
const gated = defineCell({
  params: ({ hidden }) => ({ table: init.normal(1, 5, hidden), W: init.glorot(2, hidden) }),
  state: ({ hidden }) => ({ slow: { h: init.normal(0.5, hidden) }, fast: [init.zeros(hidden)] }),
  step: ({ table, W }, { symbol, gate }: { symbol: Tensor; gate: Tensor }, { slow, fast }) => {
    const up = gate.matmul(W).sigmoid();
    const h = slow.h.mul(up).add(table.gather(symbol));
    const quick = fast[0]!.mul(0.3).add(h.sin());
    return [
      { sum: h.sum(-1), pair: [h, quick] },
      { slow: { h }, fast: [quick] },
    ];
  },
})({ input: 2, hidden: 3 });

/** A whole number in the state that is no index: how many symbols of a kind came. */
const tallying = defineCell({
  params: ({ hidden }) => ({ w: init.normal(1, hidden) }),
  state: ({ hidden }) => ({ h: init.zeros(hidden), seen: init.zeros({ dtype: "int32" }) }),
  step: ({ w }, x: Tensor, { h, seen }) => {
    const more = seen.cast("float64").add(x.cast("float64")).cast("int32");
    const next = h.mul(w).add(more.cast("float64").expandDims(1)).sin();
    return [
      { y: next, more },
      { h: next, seen: more },
    ];
  },
})({ input: 1, hidden: 2 });

/** No parameters: a leaky sum. */
const bare = defineCell({
  params: () => ({}),
  state: () => ({ h: init.zeros(2) }),
  step: (_params, x: Tensor, { h }) => {
    const next = h.mul(0.7).add(x.sin());
    return [next, { h: next }];
  },
})({ input: 2, hidden: 2 });

/** Reads a context of each row, and one that all rows share. */
const told = defineCell({
  params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W }, { x, context }: { x: Tensor; context: { own: Tensor; shared: Tensor } }, { h }) => {
    const next = x.matmul(W).add(context.own).add(h.mul(context.shared)).tanh();
    return [next, { h: next }];
  },
})(sizes);

const vectors = (random: Rng, batch: number) => drawn(random, batch, 2);

/** Models of every kind, by name. */
export const models: Readonly<Record<string, ModelRow>> = {
  ...Object.fromEntries(
    cellTable().map((row) => [row.name, { model: row.make(), input: row.input }]),
  ),
  ...Object.fromEntries(
    Object.entries(noisyCells).map(([name, model]) => [name, { model, input: vectors }]),
  ),
  "learned state": { model: learnedState(gru(sizes)), input: vectors },
  "learned states in turn": {
    model: stacked([learnedState(elman(sizes)), learnedState(lstm(upper))]),
    input: vectors,
  },
  stacked: { model: stacked([lstm(sizes), gru(upper)], { residual: true }), input: vectors },
  "symbols, cell, head": {
    model: sequential({
      symbols: embedding({ input: 5, output: 2 }),
      cell: gru(sizes),
      head: linear({ input: 3, output: 2 }),
    }),
    input: (random, batch) => whole(random, 5, batch),
  },
  bidirectional: { model: bidirectional(lstm(sizes)), input: vectors, isWhole: true },
  "bidirectional in turn": {
    model: stacked([bidirectional(elman(sizes), { merge: "sum" }), gru(upper)]),
    input: vectors,
    isWhole: true,
  },
  attention: {
    model: attentionCell({ input: 2, hidden: 3, context: 2 }),
    input: vectors,
    context: (random, batch) => ({
      values: drawn(random, batch, 4, 2),
      mask: whole(random, 2, batch, 4),
    }),
  },
  counting: {
    model: counting,
    input: (random, batch) => whole(random, 4, batch),
    isUnplanned: true,
  },
  tallying: { model: tallying, input: (random, batch) => whole(random, 3, batch) },
  gated: {
    model: gated,
    input: (random, batch) => ({
      symbol: whole(random, 5, batch),
      gate: drawn(random, batch, 2),
    }),
  },
  bare: { model: bare, input: vectors, needsState: true },
  told: {
    model: told,
    input: vectors,
    context: (random, batch) => ({ own: drawn(random, batch, 3), shared: drawn(random) }),
  },
};

/** What a gradient may be taken by. */
export interface Given {
  readonly params: unknown;
  /** One tree for each step. */
  readonly inputs: readonly unknown[];
  readonly state?: unknown;
  readonly context?: unknown;
}

/** How a loop runs. */
export type How = Pick<UnrollOptions<never>, "compile" | "memory">;

/** A sequence, with everything that changes how it runs. */
export interface Problem {
  readonly name: string;
  readonly model: AnyModel;
  readonly given: Given;
  /** What is watched. */
  readonly by: readonly (keyof Given)[];
  readonly options: UnrollOptions<never>;
  /** The seed of the noise, and of what flows back. */
  readonly seed: number;
  /** Whether inputs are given as one tree, time first. */
  readonly isJoined: boolean;
}

/** How a problem is drawn. */
export interface Shape {
  readonly name: string;
  readonly T: number;
  readonly B: number;
  readonly seed: number;
}

/** A random problem: marks, burn-in, direction, state and what is watched, by the seed. */
export function problem({ name, T, B, seed }: Shape): Problem {
  const { model, input, context, isWhole = false, needsState = false } = models[name]!;
  const random = rng(seed, "loop");
  const is = (chance: number) => random.uniform() < chance;
  const marks = (chance: number) =>
    tensor(
      Int32Array.from({ length: T * B }, () => Number(is(chance))),
      { shape: [T, B] },
    );
  const reverse = is(0.3);
  const burnIn = !reverse && !isWhole && is(0.3) ? random.integer(0, T) : 0;
  const kind = random.integer(0, 4);
  const options: UnrollOptions<never> = {
    reverse,
    burnIn,
    ...(kind === 1 && { lengths: Array.from({ length: B }, () => random.integer(0, T + 1)) }),
    ...(kind === 2 && { mask: marks(0.7) }),
    ...(is(0.4) && { resets: marks(0.25) }),
  };
  const params = drawParams(model, random.split("params"));
  const initial = () =>
    tree.map(initialState({ state: model.state }, B, { dtype: "float64" }), (x: Tensor) =>
      x.dtype === "int32" ? x : x.add(drawn(random, ...x.shape)),
    );
  const given: Given = {
    params,
    inputs: Array.from({ length: T }, () => input(random, B)),
    ...((is(0.5) || needsState) && { state: initial() }),
    ...(context && { context: context(random, B) }),
  };
  const all = Object.keys(given) as (keyof Given)[];
  const by = is(0.5) ? all : all.filter(() => is(0.6));
  return { name, model, given, by, options, seed, isJoined: is(0.5) };
}

/** Everything that a loop gives, as numbers. */
export interface Found {
  readonly values: Numbers;
  readonly gradients: Numbers;
}

/** Steps as one tree, time first. */
export function joined(steps: readonly unknown[]): unknown {
  const columns = steps.map((step) => tree.leaves<Tensor>(step));
  let leaf = 0;
  return tree.map(steps[0], (x: Tensor) => {
    const at = leaf++;
    const kind = x.dtype === "int32" ? Int32Array : Float64Array;
    const values = columns.flatMap((column) => [...column[at]!.toTypedArray()]);
    return tensor(kind.from(values), { shape: [steps.length, ...x.shape] });
  });
}

/** Runs a problem, and takes gradients of all that it gives, by random cotangents. */
export function run({ model, given, by, options, seed, isJoined }: Problem, how: How): Found {
  return scope(() => {
    const tape = new Tape();
    const whole = { ...given, ...(isJoined && { inputs: joined(given.inputs) }) };
    const own = Object.fromEntries(by.map((name) => [name, whole[name]]));
    const watched = tape.watch(own) as Partial<Given>;
    const { params, inputs, state, context } = { ...whole, ...watched };
    const { outputs, state: last } = unroll(model as never, params as never, inputs as never, {
      ...(options as object),
      ...(state !== undefined && { state: state as never }),
      ...(context !== undefined && { context }),
      rng: rng(seed, "noise"),
      ...how,
    });
    const random = rng(seed, "cotangents");
    const targets: Tensor[] = [];
    const cotangents: Tensor[] = [];
    for (const y of tree.leaves<Tensor>({ outputs, last })) {
      const g = drawn(random, ...y.shape);
      if (!tape.tracks(y)) continue;
      targets.push(y);
      cotangents.push(g);
    }
    const gradients =
      targets.length === 0
        ? tree.map(own, (x: Tensor) => zeros(x.shape))
        : tape.gradient(targets, watched, { cotangent: cotangents });
    return { values: numbers({ outputs, last }), gradients: byStep(numbers(gradients)) };
  });
}

/** Gradients by inputs under one path, whether they came as a list or as one tensor. */
function byStep(gradients: Numbers): Numbers {
  const found: Numbers = {};
  for (const [path, values] of Object.entries(gradients)) {
    const name = path.replace(/^inputs\.\d+/, "inputs");
    found[name] = [...(found[name] ?? []), ...values];
  }
  return found;
}
