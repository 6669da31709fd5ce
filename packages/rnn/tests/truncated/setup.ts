import { detach, scope, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { applyUpdates, type GradientTransformation, rng } from "@chronograd/nn";
import {
  type Cell,
  defineCell,
  elman,
  gru,
  initialParams,
  initialState,
  lstm,
  type TimeStep,
  type TruncatedOptions,
  truncated,
  type Values,
} from "../../src/index.ts";

/** x_t = w x_{t-1}, whose derivatives are known: with loss x_t, dL/dx_{t-1} is w. */
export const line = defineCell({
  params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.5) } }),
  state: () => ({ x: { shape: [1], draw: () => Float64Array.of(1) } }),
  step: ({ w }, _: Tensor, { x }) => {
    const next = w.mul(x);
    return [next, { x: next }];
  },
})({ input: 1, hidden: 1 });
export const half = () => ({ w: tensor(0.5, { dtype: "float64" }) });
export const modes = ["carry", "recompute", "defer"] as const;

/** Steps of an optimizer, whose state goes along. */
export function updater<State>(
  optimizer: GradientTransformation<State>,
  params: unknown,
): (params: AnyParams, gradients: unknown) => AnyParams {
  let state = optimizer.init(params);
  return (present, gradients) => {
    const [updates, next] = optimizer.update(gradients as AnyParams, state, present);
    state = next;
    return applyUpdates(present, updates) as AnyParams;
  };
}

/** A tree of numbers, to compare gradients by. */
export type Numbers = Record<string, number[]>;

const sizes = { input: 2, hidden: 3 };
export const cells = {
  elman: elman(sizes),
  relu: elman({ ...sizes, activation: "relu" }),
  lstm: lstm(sizes),
  gru: gru(sizes),
} as unknown as Record<string, Cell<Record<string, never>, Record<string, never>>>;
export type AnyParams = Values<Record<string, never>>;
export type AnyState = Values<Record<string, never>>;

/**
 * A model, its parameters, and a stream of T steps with B rows, all float64 and fixed by the seed.
 */
export function problem(name: string, T: number, seed: number, B = 2) {
  const cell = cells[name]!;
  const params = initialParams(cell, rng(seed), { dtype: "float64" });
  const random = rng(seed, "data");
  const draw = (columns: number): Tensor =>
    tensor(
      Float64Array.from({ length: B * columns }, () => random.normal()),
      { shape: [B, columns] },
    );
  const steps: TimeStep[] = Array.from({ length: T }, () => ({ input: draw(2), target: draw(3) }));
  const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square().sum(-1);
  return { cell, params, steps, loss };
}

export type Problem = ReturnType<typeof problem>;

export function numbers(nested: unknown): Numbers {
  const result: Numbers = {};
  tree.map(nested, (x: Tensor, path) => {
    result[path] = [...x.toTypedArray()];
  });
  return result;
}

/** What a truncated stream yields with frozen weights. */
export function windowsOf(
  { cell, params, steps, loss }: Problem,
  options: Omit<TruncatedOptions<Record<string, never>>, "loss">,
) {
  const stream = truncated(cell, params, steps, { ...options, loss });
  return Array.from(stream, ({ gradients, losses, start, newFrom, end, count }) => ({
    gradients: numbers(gradients),
    losses,
    start,
    newFrom,
    end,
    count,
  }));
}

export function total(parts: readonly Numbers[]): Numbers {
  const sum: Numbers = {};
  for (const part of parts) {
    for (const [path, values] of Object.entries(part)) {
      const there = sum[path];
      sum[path] = there === undefined ? [...values] : there.map((x, i) => x + values[i]!);
    }
  }
  return sum;
}

/** The largest difference, relative to the larger of both and 1; of trees with the same leaves. */
export function distance(a: Numbers, b: Numbers): number {
  let worst = 0;
  if (Object.keys(a).join() !== Object.keys(b).join()) return Infinity;
  for (const [path, values] of Object.entries(a)) {
    for (const [i, x] of values.entries()) {
      const y = b[path]![i]!;
      const error = Math.abs(x - y) / Math.max(1, Math.abs(x), Math.abs(y));
      worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
    }
  }
  return worst;
}

/**
 * The gradient of the losses of steps `from < t <= end` with the state after step `start` constant,
 * by nothing but the definition: a plain forward run to `start`, then a new tape.
 */
export function byDefinition(
  { cell, params, steps, loss }: Problem,
  start: number,
  end: number,
  weight: (t: number) => number,
): Numbers {
  return scope(() => {
    let state = initialState(cell, steps[0]!.input.shape[0]!, { dtype: "float64" });
    for (let t = 1; t <= start; t++) [, state] = cell.step(params, steps[t - 1]!.input, state);
    const tape = new Tape();
    const watched = tape.watch(params) as AnyParams;
    state = tree.map(state, (x: Tensor) => detach(x)) as AnyState;
    const terms: Tensor[] = [];
    for (let t = start + 1; t <= end; t++) {
      const { input, target } = steps[t - 1]!;
      const [output, next] = cell.step(watched, input, state);
      state = next;
      if (weight(t) !== 0) terms.push(loss(output, target).sum().mul(weight(t)));
    }
    return numbers(tape.gradient(terms, watched));
  });
}
