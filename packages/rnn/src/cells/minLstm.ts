import type { Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import type { Cell, CellSizes } from "../cell.ts";
import { gateBlocks } from "../gates.ts";
import { defineLinearCell } from "../linear/defineLinearCell.ts";
import type { HiddenState } from "./elman.ts";

/**
 * Parameters of a minLSTM cell, with I inputs and H hidden units; columns are i, f and g in turn.
 */
export interface MinLstmParams {
  /** `[I, 3H]` */
  readonly W: Initializer;
  /** `[3H]` */
  readonly b: Initializer;
}

/**
 * Long short-term memory whose gates do not read the state and add up to 1:
 * `i, f = sigmoid(x W + b)`, `g = x W_g + b_g`, `h_t = f/(f+i) h_{t-1} + i/(f+i) g` (Feng et al.
 * 2024, Were RNNs all we needed?, section 3.2). It takes a whole sequence at once. The plain form
 * is stable, as that of `minGru` is; the gates are divided as `sigmoid(log f - log i)`, which is
 * right where both are 0.
 *
 * @example
 * ```ts
 * import { minLstm } from "@chronograd/rnn";
 *
 * minLstm({ input: 3, hidden: 5 }).params.W.shape; // => [3, 15]
 * ```
 */
export const minLstm: (sizes: CellSizes) => Cell<MinLstmParams, HiddenState> = defineLinearCell({
  name: "minLstm",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes): MinLstmParams => ({
    W: gateBlocks(3, () => init.glorot(input, hidden)),
    b: init.zeros(3 * hidden),
  }),
  state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(hidden) }),
  transition: ({ W, b }, x: Tensor) => {
    const [i, f, g] = x.matmul(W).add(b).split(3, -1);
    const ratio = f.logSigmoid().sub(i.logSigmoid());
    return { a: ratio.sigmoid(), b: ratio.neg().sigmoid().mul(g) };
  },
});
