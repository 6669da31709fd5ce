import { type Tensor, tensor } from "@chronograd/autodiff";
import { embedding, init, linear, type Rng } from "@chronograd/nn";
import {
  attentionCell,
  bidirectional,
  defineCell,
  elman,
  gru,
  learnedState,
  lstm,
  sequential,
  stacked,
} from "../../src/index.ts";
import { cellTable } from "../../src/testing.ts";
import { noisyCells } from "../models/noisy.ts";

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

/** Reads a context of each row, of which two parts have one gradient, and one that rows share. */
const told = defineCell({
  params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: (
    { W },
    { x, context }: { x: Tensor; context: Record<"own" | "other" | "shared", Tensor> },
    { h },
  ) => {
    const next = x.matmul(W).add(h.mul(context.shared)).tanh().add(context.own).add(context.other);
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
    context: (random, batch) => ({
      own: drawn(random, batch, 3),
      other: drawn(random, batch, 3),
      shared: drawn(random),
    }),
  },
};
