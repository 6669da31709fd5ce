// A cell of everything at once, in a module of its own so that workers can run it.
import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { applyUpdates, type Communicator, init, linear, type Rng, rng, sgd } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import {
  defineCell,
  elman,
  gru,
  initialParams,
  lstm,
  sequential,
  type TruncatedOptions,
  truncated,
} from "../src/index.ts";
import { numbers } from "./truncated/setup.ts";

const inner = gru({ input: 3, hidden: 2 });
const deep = sequential({
  lower: sequential({
    elman: elman({ input: 2, hidden: 2 }),
    head: linear({ input: 2, output: 3 }),
  }),
  upper: lstm({ input: 3, hidden: 2 }),
});

/** Symbols and vectors in; a tree of outputs, one of them int32. */
export interface OddInput {
  readonly symbol: Tensor;
  readonly at: readonly [Tensor];
}

/**
 * A nested state of other axes at each leaf, with counters in int32, over the steps of two other
 * cells; several outputs.
 */
export const odd = defineCell({
  name: "odd",
  sizes: ["hidden"],
  params: ({ hidden }: { hidden: number }) => ({
    table: init.normal(1, 4, 3),
    rates: [init.normal(0.5, hidden), init.normal(0.5, 2, hidden)] as const,
    inner: inner.params,
    deep: deep.params,
  }),
  state: ({ hidden }) => ({
    memory: { slow: init.normal(0.5, 2, hidden), fast: [init.zeros(hidden)] as const },
    count: init.zeros({ dtype: "int32" }),
    last: { symbols: init.zeros(2, { dtype: "int32" }) },
    energy: init.zeros(),
    inner: inner.state,
    deep: deep.state,
  }),
  step: ({ table, rates, ...params }, { symbol, at: [x] }: OddInput, state) => {
    const [before] = state.last.symbols.split([1, 1], -1);
    const [h, next] = inner.step(params.inner, table.gather(symbol), state.inner);
    const [y, later] = deep.step(params.deep, x.add(h), state.deep);
    const fast = state.memory.fast[0]
      .mul(rates[0])
      .add(y.sum(-1, { keepDims: true }))
      .tanh();
    const slow = state.memory.slow.mul(rates[1]).add(fast.expandDims(1)).sin();
    const energy = state.energy.mul(0.5).add(slow.square().sum([1, 2]));
    const count = state.count.add(1);
    return [
      { y, all: [slow, { energy }] as const, count, changed: before!.squeeze(-1).equal(symbol) },
      {
        memory: { slow, fast: [fast] },
        count,
        last: { symbols: symbol.expandDims(-1).broadcastTo([symbol.size, 2]) },
        energy,
        inner: next,
        deep: later,
      },
    ];
  },
});

export const cell = odd({ hidden: 3 });
export function input(random: Rng, batch: number): OddInput {
  const x = Float64Array.from({ length: 2 * batch }, () => random.normal());
  const symbol = Int32Array.from({ length: batch }, () => random.integer(0, 4));
  return { symbol: tensor(symbol), at: [tensor(x, { shape: [batch, 2] })] };
}
export const params = () => initialParams(cell, rng(1), { dtype: "float64" });
export const steps = Array.from({ length: 11 }, (_, t) => ({
  input: input(rng(t), 5),
  target: tensor(Float64Array.from({ length: 5 }, (_, i) => (t % 4 === 3 ? 0 : i + 1))),
}));

/** The same with rows that are reset, and rows without a step. */
export const marked = steps.map((step, t) => {
  const mark = (isSet: (row: number) => boolean) =>
    tensor(Int32Array.from({ length: 5 }, (_, row) => +isSet(row)));
  return { ...step, reset: mark((row) => t % (row + 3) === 2), mask: mark((row) => t % 4 !== row) };
});

/** Of all outputs that are floats, for each row. */
export function loss(output: unknown, target: Tensor): Tensor {
  return tree
    .leaves(output)
    .filter(({ dtype }) => dtype !== "int32")
    .map((y) => y.reshape([y.shape[0]!, -1]).sub(target.expandDims(-1)).square().sum(-1))
    .reduce((sum, each) => sum.add(each));
}

/** What training over a stream shows, in this process or in a worker. */
export function train(
  communicator: Communicator,
  {
    isMarked = false,
    ...options
  }: Omit<TruncatedOptions<typeof cell.state>, "loss"> & {
    readonly isMarked?: boolean;
  },
) {
  let present = params();
  const optimizer = sgd({ learningRate: 0.001 });
  let state = optimizer.init(present);
  const own = (isMarked ? marked : steps).map((step) => shard(step, communicator));
  const windows = [];
  for (const window of truncated(cell, present, own, { ...options, loss, communicator })) {
    const { count, last } = window.state;
    windows.push({
      end: window.end,
      loss: window.loss,
      gradients: numbers(window.gradients),
      integers: [[...count.toTypedArray()], last.symbols.toArray()],
    });
    const [updates, next] = optimizer.update(window.gradients, state, present);
    present = applyUpdates(present, updates);
    state = next;
  }
  return { windows, params: numbers(present) };
}

export default (communicator: Communicator, all: readonly Parameters<typeof train>[1][]): unknown =>
  all.map((options) => scope(() => train(communicator, options)));
