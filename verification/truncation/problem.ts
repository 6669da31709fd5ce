import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { linear, type Rng, rng } from "@chronograd/nn";
import {
  type CountedLoss,
  gru,
  initialParams,
  initialState,
  sequential,
  type TimeStep,
  type TruncatedOptions,
  type Values,
} from "@chronograd/rnn";
import { cellTable, type SomeCell } from "@chronograd/rnn/testing";

export type Model = SomeCell;
export type Params = Values<Record<string, never>>;
export type State = Values<Record<string, never>>;
export type Options = Omit<TruncatedOptions<Record<string, never>>, "loss" | "k2"> & {
  readonly k2: number;
};

const sizes = { input: 2, hidden: 3 };
const models: readonly (() => unknown)[] = [
  ...cellTable()
    .filter(({ isVector }) => isVector)
    .map(
      ({ make }) =>
        () =>
          make(sizes),
    ),
  () => sequential({ cell: gru(sizes), head: linear({ input: 3, output: 3 }) }),
];

/** Rows of a batch. */
const rows = 2;

/** A whole number from `low` to `high`. */
export function between(random: Rng, low: number, high: number): number {
  return random.integer(low, high + 1);
}

/** One of a list. */
export function oneOf<T>(random: Rng, list: readonly T[]): T {
  return list[random.integer(0, list.length)]!;
}

/**
 * What is measured on: a model, a stream of its own, and where to cut it. All float64, drawn by the
 * seed.
 */
export interface Problem {
  readonly random: Rng;
  readonly model: Model;
  readonly params: Params;
  /** Before the first step; not the model's own. */
  readonly state: State;
  readonly steps: readonly TimeStep[];
  readonly T: number;
  readonly k1: number;
  readonly k2: number;
  /** A loss that is missing at some steps, and gives its own count of tokens at others. */
  loss(output: Tensor, target: Tensor): Tensor | CountedLoss | null;
}

/** Draws a problem; `plain` where every step should have a loss that counts its elements. */
export function problem(seed: number, { plain = false } = {}): Problem {
  const random = rng(seed, "truncation");
  const normal = (shape: readonly number[], scale = 1): Tensor => {
    const size = shape.reduce((n, length) => n * length, 1);
    return tensor(
      Float64Array.from({ length: size }, () => scale * random.normal()),
      { shape },
    );
  };
  const model = oneOf(random, models)() as Model;
  // Biases start as zeros, which would hide what they are multiplied by.
  const params = tree.map(
    initialParams(model, random.split("params"), { dtype: "float64" }),
    (x: Tensor) => x.add(normal(x.shape, 0.2)),
  ) as unknown as Params;
  const state = tree.map(initialState(model, rows, { dtype: "float64" }), (x: Tensor) =>
    normal(x.shape, 0.5),
  ) as State;
  const T = between(random, 1, 11);
  const k1 = between(random, 1, 5);
  // The first element of a target says what kind of loss the step has.
  const kind = () => (plain ? 1 : oneOf(random, [1, 1, 1, 2, 0]));
  const steps = Array.from({ length: T }, () => ({
    input: normal([rows, 2]),
    target: tensor(
      Float64Array.from({ length: 7 }, (_, i) => (i === 0 ? kind() : random.normal())),
    ),
  }));
  return {
    random,
    model,
    params,
    state,
    steps,
    T,
    k1,
    k2: k1 + between(random, 0, 6),
    loss(output, target) {
      const [found] = target.toTypedArray();
      if (found === 0) return null;
      const wanted = target.slice([[1, 7]]).reshape([rows, 3]);
      const losses = output.sub(wanted).square().sum(-1);
      return found === 2 ? { loss: losses.sum(), count: 5 } : losses;
    },
  };
}

/** Options of every kind, drawn at random. */
export function drawOptions({ random, k1, k2 }: Problem): Options & {
  readonly stale: "carry" | "recompute";
} {
  const losses = oneOf(random, ["new", "endpoint", "window"] as const);
  return {
    k1,
    k2,
    losses,
    multiplicity: losses === "window" && oneOf(random, [true, false]),
    reduction: oneOf(random, ["sum", "mean"] as const),
    stale: oneOf(random, ["carry", "recompute"] as const),
  };
}
