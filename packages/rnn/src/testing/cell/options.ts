import type { SeedOptions } from "@chronograd/autodiff/testing";
import type { Rng } from "@chronograd/nn";
import type { Values } from "../../cell.ts";
import type { InputOption } from "../draw.ts";

/**
 * What `cellLaws` draws and how strict it is. Drawn values are used as float64.
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { init } from "@chronograd/nn";
 * import { defineCell } from "@chronograd/rnn";
 * import { testCell } from "@chronograd/rnn/testing";
 *
 * // A rate that must stay positive, and an input of two parts.
 * const leaky = defineCell({
 *   params: ({ hidden }) => ({ rate: init.constant(1, hidden) }),
 *   state: ({ hidden }) => ({ h: init.constant(0, hidden) }),
 *   step: ({ rate }, x: { up: Tensor; down: Tensor }, { h }) => {
 *     const next = x.up.sub(x.down).add(h.mul(rate.log()).tanh());
 *     return [next, { h: next }];
 *   },
 * })({ input: 2, hidden: 2 });
 * const row = (random: { normal(): number }, rows: number) =>
 *   tensor(Float64Array.from({ length: 2 * rows }, () => random.normal()), { shape: [rows, 2] });
 * const report = testCell(leaky, {
 *   name: "leaky",
 *   input: (random, batch) => ({ up: row(random, batch), down: row(random, batch) }),
 *   params: (random) => ({ rate: tensor([1 + random.uniform(), 2], { dtype: "float64" }) }),
 *   runs: 1,
 * });
 * report.ok; // => true
 * ```
 */
export interface CellTestOptions<Params = unknown, State = unknown, X = unknown>
  extends SeedOptions {
  /** Heads the report; `"cell"` unless given. */
  readonly name?: string;
  /**
   * An input: its number of columns, the shape of a row, `symbols(count)`, or a function that draws
   * one for a batch. Unless given, the only number of columns that the cell takes.
   */
  readonly input?: InputOption<X>;
  /**
   * Draws the parameters; unless given, around what the initialisers draw, every element random.
   */
  readonly params?: (random: Rng) => Values<Params>;
  /**
   * Draws the state before the first step; unless given, around the initial state, every element
   * random.
   */
  readonly state?: (random: Rng, batch: number) => Values<State>;
  /** Rows of a batch, at least 2; 3 unless given. */
  readonly batch?: number;
  /** Time steps, at least 2; 4 unless given. */
  readonly steps?: number;
  /**
   * Largest error of gradients against differences, relative to the derivative; 1e-7 unless given.
   */
  readonly tolerance?: number;
  /**
   * Largest error of float32 against float64 over all steps, relative to the largest; 1e-5 unless
   * given. Where the case is ill-conditioned, errors are relative to that instead: to 2^20 times
   * the change of results when every argument changes by 2^-24 of itself.
   */
  readonly float32?: number;
  /**
   * How often to draw a case whose differences contradict each other, as next to a kink; 8 unless
   * given.
   */
  readonly redraws?: number;
}
