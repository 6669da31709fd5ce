import type { MapTree, Tensor } from "@chronograd/autodiff";
import type { Cell, Values } from "../../cell.ts";
import type { TruncatedOptions, TruncationOptions } from "../../truncated/options.ts";
import type { TimeStep } from "../../truncated/step.ts";

/** What a window must tell to be checked; what else it tells is held to the definition too. */
export interface CheckedWindow<Params = unknown> {
  /** A tree like the parameters. */
  readonly gradients: MapTree<Params, Tensor>;
  readonly start?: number;
  readonly newFrom?: number;
  readonly end?: number;
  /** Of the window's new steps. */
  readonly losses?: readonly number[];
}

/**
 * Something that yields windows, with the arguments of `truncated`: an implementation to check.
 * `params` returns today's parameters; those of earlier windows were consumed.
 */
export type WindowsFunction<Params, State, X, Y, Target> = (
  cell: Cell<Params, State, X, Y>,
  params: () => Values<Params>,
  stream: readonly TimeStep<X, Target>[],
  options: TruncatedOptions<State, Y, Target> & Pick<TruncationOptions, "k1" | "k2">,
) => Iterable<CheckedWindow<Values<Params>>>;

/**
 * Which windows `checkTruncated` checks, and on what.
 *
 * @example
 * ```ts
 * import { Tape, type Tensor, tensor } from "@chronograd/autodiff";
 * import { elman } from "@chronograd/rnn";
 * import { checkTruncated } from "@chronograd/rnn/testing";
 *
 * const steps = [1, 2, 3, 4, 5, 6].map((t) => ({
 *   input: tensor([[Math.sin(t)]]),
 *   target: tensor([[Math.cos(t)]]),
 * }));
 * const report = checkTruncated(elman({ input: 1, hidden: 1 }), steps, {
 *   k1: 2,
 *   k2: 2,
 *   loss: (y, target) => y.sub(target).square(),
 *   stale: "carry",
 *   losses: "new",
 *   reduction: "sum",
 *   // A custom loop that forgets to cut.
 *   *windows(cell, params, stream, { k1, loss, state }) {
 *     const tape = new Tape();
 *     let h = state!;
 *     let weights = tape.watch(params());
 *     for (let t = 0; t < stream.length; t += k1) {
 *       if (t > 0) weights = tape.watch(params(), { as: weights });
 *       const losses: Tensor[] = [];
 *       for (const { input, target } of stream.slice(t, t + k1)) {
 *         const [y, next] = cell.step(weights, input, h);
 *         h = next;
 *         losses.push(loss(y, target) as Tensor);
 *       }
 *       yield { gradients: tape.gradient(losses, weights) };
 *     }
 *   },
 * });
 * const { index, diagnosis } = report.modes[0]!.failures[0]!;
 * index; // => 1
 * diagnosis.split(": ")[1]; // => "the state at the cut is not held constant"
 * ```
 */
export interface CheckTruncatedOptions<Params, State, X, Y, Target>
  extends Pick<TruncatedOptions<State, Y, Target>, "loss" | "state" | "burnIn" | "rng">,
    Pick<TruncationOptions, "k1" | "k2"> {
  /** Heads the report; `"truncated"` unless given. */
  readonly name?: string;
  /** The parameters at the beginning, used as float64; random in every element unless given. */
  readonly params?: Values<Params>;
  /** Only this mode; all unless given. */
  readonly stale?: TruncatedOptions<State, Y, Target>["stale"];
  /** Only these losses; all unless given. */
  readonly losses?: TruncatedOptions<State, Y, Target>["losses"];
  /** With `losses: "window"`: only with, or only without; both unless given. */
  readonly multiplicity?: boolean;
  /** Only this reduction; both unless given. */
  readonly reduction?: TruncatedOptions<State, Y, Target>["reduction"];
  /**
   * How many steps of the stream to use, at most; unless given, a few more than `k2 + 3 k1`: enough
   * for full windows, for cuts, and for a short window at the end. With k1 Infinity, all.
   */
  readonly steps?: number;
  /** Largest error, relative to the derivative; 1e-7 unless given. */
  readonly tolerance?: number;
  /** Seed of the parameters, and of the updates between windows; 1 unless given. */
  readonly seed?: number;
  /** Whether the windows are those of plans, made from the start; false unless given. */
  readonly compile?: boolean;
  /** Throws an error with the report's text unless everything is right. */
  readonly throws?: boolean;
  /** What to check; `truncated` unless given. */
  readonly windows?: WindowsFunction<Params, State, X, Y, Target>;
}
