// Runs that are interrupted and resumed: each must be, bit for bit, the run never interrupted.
import {
  type FloatDType,
  type Tensor,
  Tensor as TensorClass,
  tensor,
  tree,
} from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  embedding,
  init,
  linear,
  type Rng,
  rng,
  rngFrom,
} from "@chronograd/nn";
import {
  type CountedLoss,
  defineCell,
  gru,
  initialParams,
  initialState,
  type LiveWindow,
  learnedState,
  lstm,
  type StepSource,
  sequential,
  type TimeStep,
  type TruncatedOptions,
  truncated,
  type Window,
  zoneout,
} from "../../src/index.ts";
import { cellTable, type SomeCell } from "../../src/testing.ts";
import { noisyCells } from "../models/noisy.ts";
import type { AnyParams, AnyState } from "./setup.ts";

const sizes = { input: 2, hidden: 3 };

/** A cell whose input is a tree with a context, and whose state has the symbol that came last. */
const reader = defineCell({
  params: () => ({
    W: init.glorot(2, 3),
    U: init.glorot(3, 3),
    C: init.glorot(4, 3),
    table: init.normal(1, 5, 3),
  }),
  state: () => ({ h: init.zeros(3), last: init.zeros({ dtype: "int32" }) }),
  step: (
    { W, U, C, table },
    { x, context }: { x: { values: Tensor; symbol: Tensor }; context: Tensor },
    { h, last },
  ) => {
    const seen = x.values.matmul(W).add(context.matmul(C)).mul(table.gather(last));
    const next = h.matmul(U).add(seen).tanh();
    return [next, { h: next, last: x.symbol }];
  },
})({ input: 1, hidden: 1 });

interface Model {
  readonly cell: SomeCell;
  readonly takes: "vectors" | "symbols" | "trees";
}

const vectors = (cell: unknown): Model => ({ cell: cell as SomeCell, takes: "vectors" });

/** Models by name, from rows of 2 columns, symbols or trees to rows of 3 columns. */
export const models: Readonly<Record<string, () => Model>> = {
  lstm: () => vectors(lstm(sizes)),
  gru: () => vectors(gru(sizes)),
  ...Object.fromEntries(
    cellTable()
      .filter(({ isVector }) => isVector)
      .map(({ name, make }) => [name, () => vectors(make(sizes))]),
  ),
  ...Object.fromEntries(
    Object.entries(noisyCells).map(([name, cell]) => [name, () => vectors(cell)]),
  ),
  learned: () => vectors(learnedState(gru(sizes))),
  "learned, with noise": () => vectors(learnedState(zoneout(lstm(sizes), { rate: 0.5 }))),
  symbols: () => ({
    cell: sequential({
      embedding: embedding({ input: 5, output: 2 }),
      lstm: lstm(sizes),
      head: linear({ input: 3, output: 3 }),
    }) as unknown as SomeCell,
    takes: "symbols",
  }),
  reader: () => ({ cell: reader as unknown as SomeCell, takes: "trees" }),
};

/** A run, in plain words and numbers. */
export interface Run {
  readonly model: string;
  readonly seed: number;
  readonly T: number;
  readonly B: number;
  readonly dtype: FloatDType;
  readonly k1: number;
  readonly k2: number;
  readonly stale: "carry" | "recompute" | "defer";
  readonly losses: "new" | "endpoint" | "window";
  readonly multiplicity: boolean;
  readonly reduction: "sum" | "mean";
  readonly compile: boolean;
  readonly burnIn: number;
  readonly measured: boolean;
  /** Rows without a step, and rows that begin afresh. */
  readonly marked: boolean;
  /** The stream is a whole sequence, where the model takes rows. */
  readonly whole: boolean;
  /** Begins with a state of its own. */
  readonly given: boolean;
  /** Losses that read values, so that nothing is planned; without it, that may be missing. */
  readonly reads: boolean;
  /** Parameters change between windows. */
  readonly updates: boolean;
}

/** A plain one, for tests that change some of it. */
export const plainRun: Run = {
  ...{ model: "lstm", seed: 1, T: 12, B: 2, dtype: "float64", k1: 2, k2: 4 },
  ...{ stale: "carry", losses: "new", multiplicity: false, reduction: "sum", compile: false },
  ...{ burnIn: 0, measured: false, marked: false, whole: false, given: false, reads: false },
  updates: true,
};

/** What a run saves, as a file gives it back: nothing in it is shared with the process before. */
interface Saved {
  readonly params: AnyParams;
  readonly optimizer: unknown;
  readonly noise: unknown;
  readonly live: LiveWindow | undefined;
}

/** A tree, written and read. */
export function filed<T>(value: T): T {
  if (value instanceof TensorClass) {
    const { shape, dtype } = value;
    return tensor(value.toTypedArray(), { shape, dtype }) as T;
  }
  if (typeof value === "function") throw new TypeError("a file holds no functions");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(filed) as T;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, filed(part)])) as T;
}

/** Everything that a window says, in numbers. */
export function numbersOf(window: Window<AnyParams, AnyState>) {
  const { index, start, newFrom, end, losses, loss, count, gradientCount } = window;
  const bits = (nested: unknown) =>
    tree.leavesWithPath(nested).map(([path, x]) => [path, x.dtype, [...x.toTypedArray()]] as const);
  return {
    counts: { index, start, newFrom, end, count, gradientCount },
    losses: [...losses, loss],
    norms: window.stateGradientNorms ?? [],
    gradients: bits(window.gradients),
    state: bits(window.state),
  };
}

/**
 * Runs, with Adam in between unless the run says otherwise, and gives what each window said.
 *
 * @param splits after which windows the process ends, and another one goes on
 */
export function windowsOf(run: Run, splits: readonly number[] = []) {
  const seen: ReturnType<typeof numbersOf>[] = [];
  let saved: Saved | undefined = firstOf(run);
  while (saved !== undefined) saved = lived(run, saved, splits, seen);
  return seen;
}

function firstOf({ model, seed, dtype, updates }: Run): Saved {
  const random = rng(seed, "params");
  const params = tree.map(initialParams(models[model]!().cell, random, { dtype }), (x: Tensor) =>
    x.dtype === "int32" ? x : x.add(normal(random, x.shape, dtype).mul(0.2)),
  ) as AnyParams;
  const optimizer = updates ? adam({ learningRate: 0.02 }).init(params) : null;
  return { params, optimizer, noise: rng(seed, "noise").getState(), live: undefined };
}

/** The life of one process, from what was saved to the next split or the end. */
function lived(
  run: Run,
  saved: Saved,
  splits: readonly number[],
  seen: ReturnType<typeof numbersOf>[],
): Saved | undefined {
  const { cell } = models[run.model]!();
  let { params } = saved;
  let state = saved.optimizer as never;
  const optimizer = adam({ learningRate: 0.02 });
  const noise = rngFrom(saved.noise as never);
  const { live } = saved;
  const stream = truncated(cell, params, streamOf(run, live?.end ?? 0), {
    ...optionsOf(run, cell),
    rng: noise,
    ...(live === undefined ? run.given && { state: stateOf(run, cell) } : { resume: live }),
  } as TruncatedOptions<Record<string, never>>);
  for (const window of stream) {
    seen.push(numbersOf(window as Window<AnyParams, AnyState>));
    if (run.updates) {
      const [updates, next] = optimizer.update(window.gradients, state, params);
      params = applyUpdates(params, updates) as AnyParams;
      state = next as never;
    }
    if (!splits.includes(window.index)) continue;
    return filed({ params, optimizer: state, noise: noise.getState(), live: window.live });
  }
  return undefined;
}

function optionsOf(run: Run, cell: SomeCell) {
  const { k1, k2, stale, losses, multiplicity, reduction, compile, burnIn, measured, reads } = run;
  return {
    ...{ k1, k2, stale, losses, multiplicity, reduction, compile, burnIn },
    ...(measured && { measure: (index: number) => index % 2 === 1 }),
    loss: reads ? readingLoss : plainLoss,
    ...(cell.noise === undefined && { rng: null }),
  };
}

const plainLoss = (y: Tensor, wanted: Tensor): Tensor => y.sub(wanted).square().sum(-1);

/** Counts 2 tokens for each row, or one, or has no loss; it reads a value, and scales by that. */
function readingLoss(
  y: Tensor,
  { wanted, kind }: { wanted: Tensor; kind: string },
): Tensor | CountedLoss | null {
  if (kind === "@none") return null;
  const loss = plainLoss(y, wanted).mul(1 + Math.abs(y.toTypedArray()[0]!));
  return kind === "twice" ? { loss, count: loss.detach().mul(0).add(2) } : loss;
}

/** The steps after step `end`. */
function streamOf(run: Run, end: number): StepSource<never, never> {
  const steps = stepsOf(run).slice(end);
  const [first] = steps;
  if (!run.whole || run.reads || first === undefined || !(first.input instanceof TensorClass)) {
    return steps as never;
  }
  const joined = (name: "input" | "target" | "reset" | "mask") => {
    const { shape, dtype } = first[name] as Tensor;
    const values = steps.flatMap((step) => [...(step[name] as Tensor).toTypedArray()]);
    return tensor(values, { shape: [steps.length, ...shape], dtype });
  };
  const marks = run.marked && { resets: joined("reset"), mask: joined("mask") };
  return { inputs: joined("input"), targets: joined("target"), ...marks } as never;
}

function stepsOf({ model, seed, T, B, dtype, marked, reads }: Run): TimeStep<unknown, unknown>[] {
  const { takes } = models[model]!();
  const random = rng(seed, "data");
  const context = normal(random, [B, 4], dtype);
  const bits = (share: number) =>
    tensor(Int32Array.from({ length: B }, () => Number(random.uniform() < share)));
  return Array.from({ length: T }, () => {
    const values = normal(random, [B, 2], dtype);
    const symbol = tensor(Int32Array.from({ length: B }, () => random.integer(0, 5)));
    const wanted = normal(random, [B, 3], dtype);
    const kind = ["@none", "once", "twice"][random.integer(0, 3)]!;
    const marks = { reset: bits(0.2), mask: bits(0.7) };
    return {
      input: { vectors: values, symbols: symbol, trees: { x: { values, symbol }, context } }[takes],
      target: reads ? { wanted, kind } : wanted,
      ...(marked && marks),
    };
  });
}

function stateOf({ seed, B, dtype }: Run, { state }: SomeCell): AnyState {
  const random = rng(seed, "state");
  return tree.map(initialState({ state }, B, { dtype }), (x: Tensor) =>
    x.dtype === "int32" ? x : normal(random, x.shape, dtype),
  ) as AnyState;
}

function normal(random: Rng, shape: readonly number[], dtype: FloatDType): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  return tensor(
    Float64Array.from({ length: size }, () => random.normal()),
    { shape, dtype },
  );
}
