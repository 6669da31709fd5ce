import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/extend";
import { type Communicator, selfCommunicator } from "@chronograd/nn";
import type { Values } from "../cell.ts";

/** One time step of a stream: what the model sees and what it should say. */
export interface TimeStep<X = Tensor, Target = Tensor> {
  readonly input: X;
  readonly target: Target;
}

/** A whole sequence, time-major: `inputs [T, B, ...]` and `targets [T, B, ...]`. */
export interface Sequence {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

/** A loss that says itself how many tokens it counts: a number, or a tensor of one element. */
export interface CountedLoss {
  readonly loss: Tensor;
  readonly count: number | Tensor;
}

/** Which losses a window's gradient is of; see `TruncatedOptions.losses`. */
export type Losses = "new" | "endpoint" | "window";
/** What becomes of activations older than the last update; see `TruncatedOptions.stale`. */
export type Stale = "carry" | "recompute" | "defer";
/** How losses add up; see `TruncatedOptions.reduction`. */
export type LossReduction = "sum" | "mean";

/**
 * How a stream is cut and swept.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams, truncated } from "@chronograd/rnn";
 *
 * const cell = elman({ input: 1, hidden: 1 });
 * const params = initialParams(cell, rng(1));
 * const target = tensor([[0]]);
 * const steps = [1, 2, 3, 4, 5].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = truncated(cell, params, steps, {
 *   k1: 2,
 *   k2: 4,
 *   losses: "window",
 *   reduction: "mean",
 *   stale: "recompute",
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * const spans = Array.from(windows, (w) => `(${w.start}, ${w.end}], ${w.count} new`);
 * spans; // => ["(0, 2], 2 new", "(0, 4], 2 new", "(1, 5], 1 new"]
 * ```
 */
export interface TruncatedOptions<State, Y = Tensor, Target = Tensor> {
  /** Steps between updates: a window ends, and a gradient is yielded, every k1 steps. */
  readonly k1: number;
  /** Steps that a gradient reaches back: the state k2 steps before a window's end is held constant. */
  readonly k2: number;
  /**
   * The loss of one step. Its elements are summed, and count as that many tokens unless it gives a count; `null`
   * where a step has none.
   */
  readonly loss: (output: Y, target: Target) => Tensor | CountedLoss | null;
  /**
   * Whose losses a window's gradient is of: its `"new"` steps (the default), its `"endpoint"` only, or all k2 steps
   * of the `"window"`, overlap included.
   */
  readonly losses?: Losses;
  /** With `losses: "window"`: divides each loss by the number of windows that it is in, on an endless stream. */
  readonly multiplicity?: boolean;
  /** `"sum"` of the window's losses (the default), or their `"mean"`: the sum divided by its count of tokens. */
  readonly reduction?: LossReduction;
  /**
   * The overlap of two windows was computed before the last update. `"carry"` (the default) sweeps it with the
   * weights of that time; `"recompute"` runs it again, from the stored state, with today's; `"defer"` yields one
   * gradient for the whole stream, so that there is no update in between.
   */
  readonly stale?: Stale;
  /** The state before the first step; the model's initial state unless given. */
  readonly state?: Values<State>;
  /** Says for which windows (counted from 0) to measure `stateGradientNorms`; none unless given, none in `"defer"`. */
  readonly measure?: (window: number) => boolean;
  /**
   * `true` records a chunk of steps once and replays it as a plan, as `compile` does; false unless given. Ask for it where the
   * stream is long and the model and the loss are functions of their arguments alone: what they take from outside is
   * recorded as it was, and the stream throws when it finds that changed, at most 256 chunks later. A model that cannot
   * be recorded, because it reads values or draws random numbers, runs on a tape. Sums may be taken in another order.
   */
  readonly compile?: boolean;
  /**
   * The workers that share the batch, each with a stream of its own rows; `selfCommunicator` unless given. Windows are then those of
   * all rows: the same on every worker, but for the state.
   */
  readonly communicator?: Communicator;
}

/** Options with every default filled in. */
export type Plan<State, Y, Target> = Required<
  Omit<TruncatedOptions<State, Y, Target>, "state" | "measure">
> &
  Pick<TruncatedOptions<State, Y, Target>, "state" | "measure">;

const known: readonly (keyof TruncatedOptions<unknown>)[] = [
  "k1",
  "k2",
  "loss",
  "losses",
  "multiplicity",
  "reduction",
  "stale",
  "state",
  "measure",
  "compile",
  "communicator",
];

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  const list = choices.map((choice) => JSON.stringify(choice)).join(", ");
  throw new TypeError(`truncated: ${name} must be one of ${list}, got ${JSON.stringify(value)}`);
}

/** Fills in defaults and throws a sentence for what does not fit. */
export function planOf<State, Y, Target>(
  options: TruncatedOptions<State, Y, Target>,
): Plan<State, Y, Target> {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `truncated: options must be an object with k1, k2 and loss, got ${String(options)}`,
    );
  }
  checkOptions("truncated", options, known);
  const { k1, k2 } = options;
  for (const [name, value] of [
    ["k1", k1],
    ["k2", k2],
  ] as const) {
    if ((!Number.isInteger(value) && value !== Infinity) || value < 1) {
      throw new RangeError(
        `truncated: ${name} must be a whole number of steps of at least 1, got ${value}`,
      );
    }
  }
  if (k2 < k1) {
    throw new RangeError(
      `truncated: k2 must be at least k1, got k1 ${k1} and k2 ${k2}; with k2 < k1 the losses of ${k1 - k2} steps in every window would reach no weights`,
    );
  }
  const { losses = "new", multiplicity = false, reduction = "sum", stale = "carry" } = options;
  const { compile = false, communicator = selfCommunicator } = options;
  const plan = { ...options, losses, multiplicity, reduction, stale, compile, communicator };
  if (typeof compile !== "boolean") {
    throw new TypeError(
      `truncated: compile must be true or false, got ${JSON.stringify(compile)}; true records the steps once and replays them`,
    );
  }
  checkChoice("losses", plan.losses, ["new", "endpoint", "window"]);
  checkChoice("reduction", plan.reduction, ["sum", "mean"]);
  checkChoice("stale", plan.stale, ["carry", "recompute", "defer"]);
  if (plan.multiplicity && plan.losses !== "window") {
    throw new TypeError(
      `truncated: multiplicity needs losses "window", got ${JSON.stringify(plan.losses)}; elsewhere every loss is in one window`,
    );
  }
  if (plan.multiplicity && !Number.isFinite(k2)) {
    throw new RangeError(
      "truncated: multiplicity needs a finite k2; with k2 Infinity a step is in endlessly many windows",
    );
  }
  if (typeof plan.loss !== "function") {
    throw new TypeError(
      `truncated: loss must be a function of output and target, got ${typeof plan.loss}`,
    );
  }
  if (typeof communicator?.allReduce !== "function") {
    throw new TypeError(
      `truncated: communicator must have rank, size and allReduce, as selfCommunicator and those of runWorkers do, got ${JSON.stringify(communicator)}`,
    );
  }
  return plan;
}

/**
 * In how many windows step `t` (from 1) of an endless stream lies: those whose end `j k1` is at least `t` and less
 * than `t + k2`.
 */
export function windowsWith(t: number, k1: number, k2: number): number {
  return Math.ceil((t + k2) / k1) - Math.ceil(t / k1);
}
