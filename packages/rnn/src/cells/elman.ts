import type { Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { simpleRecurrence } from "../simpleRecurrence.ts";

/** Parameters of an Elman cell, with I inputs and H hidden units. */
export interface ElmanParams {
  /** `[I, H]` */
  readonly W: Initializer;
  /** `[H, H]` */
  readonly U: Initializer;
  /** `[H]` */
  readonly b: Initializer;
}

/** The state of a cell that has only one: `h`, `[B, H]`. */
export interface HiddenState {
  readonly h: Initializer;
}

/** Sizes of an Elman cell, and its activation. */
export interface ElmanSizes extends CellSizes {
  /** `"tanh"` unless given. */
  readonly activation?: "tanh" | "relu";
}

/**
 * The simple recurrent network: `h_t = f(x_t W + h_{t-1} U + b)` with tanh or relu (Elman 1990).
 *
 * @example
 * ```ts
 * import { elman } from "@chronograd/rnn";
 *
 * elman({ input: 3, hidden: 5 }).params.U.shape; // => [5, 5]
 * ```
 */
export const elman: (sizes: ElmanSizes) => Cell<ElmanParams, HiddenState> = defineCell({
  name: "elman",
  sizes: ["input", "hidden"],
  choices: { activation: ["tanh", "relu"] },
  params: ({ input, hidden }: ElmanSizes): ElmanParams => ({
    W: init.glorot(input, hidden),
    U: init.orthogonal(hidden),
    b: init.zeros(hidden),
  }),
  state: ({ hidden }: ElmanSizes): HiddenState => ({ h: init.zeros(hidden) }),
  step: (params, x: Tensor, state, sizes) => simpleRecurrence(params, x, state, sizes),
});
