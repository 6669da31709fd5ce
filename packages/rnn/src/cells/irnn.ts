import type { Tensor } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { simpleRecurrence } from "../simpleRecurrence.ts";
import type { ElmanParams, HiddenState } from "./elman.ts";

/** Sizes of an IRNN cell, and where its recurrent matrix starts. */
export interface IrnnSizes extends CellSizes {
  /** `U` starts as the identity times this number; 1 unless given. */
  readonly scale?: number;
}

/**
 * The simple recurrent network that starts by remembering: `h_t = relu(x W + h_{t-1} U + b)`, where
 * `U` starts as the identity times a scale, `W` with a standard deviation of 0.001, and `b` at 0
 * (Le, Jaitly & Hinton 2015, A simple way to initialize recurrent networks of rectified linear
 * units). A scale below 1, such as 0.01, makes it forget. An Elman cell with relu is the same but
 * for how it starts.
 *
 * @example
 * ```ts
 * import { rng } from "@chronograd/nn";
 * import { initialParams, irnn } from "@chronograd/rnn";
 *
 * const { U } = initialParams(irnn({ input: 3, hidden: 2, scale: 0.5 }), rng(1));
 * U.toArray(); // => [[0.5, 0], [0, 0.5]]
 * ```
 */
export const irnn: (sizes: IrnnSizes) => Cell<ElmanParams, HiddenState> = defineCell({
  name: "irnn",
  sizes: ["input", "hidden"],
  numbers: { scale: 1 },
  params: ({ input, hidden, scale }): ElmanParams => ({
    W: init.normal(0.001, input, hidden),
    U: init.identity(hidden, scale),
    b: init.zeros(hidden),
  }),
  state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(hidden) }),
  step: (params, x: Tensor, state) => simpleRecurrence(params, x, state, { activation: "relu" }),
});
