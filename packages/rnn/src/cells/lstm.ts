import { lstmCellState, lstmGates, lstmOutput, type Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { forgetBias, gateBlocks } from "../gates.ts";

/** Parameters of an LSTM cell, with I inputs and H hidden units; columns are the gates i, f, g, o in turn. */
export interface LstmParams {
  /** `[I, 4H]` */
  readonly W: Initializer;
  /** `[H, 4H]` */
  readonly U: Initializer;
  /** `[4H]` */
  readonly b: Initializer;
}

/** The state of an LSTM cell: output `h` and memory `c`, each `[B, H]`. */
export interface LstmState {
  readonly h: Initializer;
  readonly c: Initializer;
}

/**
 * Long short-term memory with forget gates: `i, f, o = sigmoid`, `g = tanh`, `c_t = f c_{t-1} + i g`,
 * `h_t = o tanh(c_t)` (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000). The forget gate's bias
 * starts at 1 (Jozefowicz, Zaremba & Sutskever 2015).
 *
 * @example
 * ```ts
 * import { lstm } from "@chronograd/rnn";
 *
 * lstm({ input: 3, hidden: 5 }).params.W.shape; // => [3, 20]
 * ```
 */
export const lstm: (sizes: CellSizes) => Cell<LstmParams, LstmState> = defineCell({
  name: "lstm",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes): LstmParams => ({
    W: gateBlocks(4, () => init.glorot(input, hidden)),
    U: gateBlocks(4, () => init.orthogonal(hidden)),
    b: forgetBias(hidden),
  }),
  state: ({ hidden }: CellSizes): LstmState => ({ h: init.zeros(hidden), c: init.zeros(hidden) }),
  step: ({ W, U, b }, x: Tensor, { h, c }) => {
    const gates = lstmGates(x.matmul(W).add(h.matmul(U)).add(b));
    const cNext = lstmCellState(gates, c);
    const hNext = lstmOutput(gates, cNext);
    return [hNext, { h: hNext, c: cNext }];
  },
});
