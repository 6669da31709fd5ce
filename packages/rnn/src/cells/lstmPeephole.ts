import type { Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { forgetBias, gateBlocks } from "../gates.ts";
import type { LstmParams, LstmState } from "./lstm.ts";

/** Parameters of an LSTM cell with peepholes: those of `LstmParams`, and a weight per unit. */
export interface LstmPeepholeParams extends LstmParams {
  /** From the memory before to the input gate, `[H]`. */
  readonly pi: Initializer;
  /** From the memory before to the forget gate, `[H]`. */
  readonly pf: Initializer;
  /** From the memory after to the output gate, `[H]`. */
  readonly po: Initializer;
}

/**
 * Long short-term memory whose gates see the memory through peepholes, one weight for each unit:
 * `i = sigmoid(x W_i + h_{t-1} U_i + pi c_{t-1} + b_i)`, `f` likewise, `c_t = f c_{t-1} + i g`,
 * `o = sigmoid(x W_o + h_{t-1} U_o + po c_t + b_o)`, `h_t = o tanh(c_t)` (Gers, Schraudolph &
 * Schmidhuber 2002, Learning precise timing with LSTM recurrent networks). Peepholes start at 0,
 * and the forget gate's bias at 1.
 *
 * @example
 * ```ts
 * import { lstmPeephole } from "@chronograd/rnn";
 *
 * lstmPeephole({ input: 3, hidden: 5 }).params.po.shape; // => [5]
 * ```
 */
export const lstmPeephole: (sizes: CellSizes) => Cell<LstmPeepholeParams, LstmState> = defineCell({
  name: "lstmPeephole",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes): LstmPeepholeParams => ({
    W: gateBlocks(4, () => init.glorot(input, hidden)),
    U: gateBlocks(4, () => init.orthogonal(hidden)),
    b: forgetBias(hidden),
    pi: init.zeros(hidden),
    pf: init.zeros(hidden),
    po: init.zeros(hidden),
  }),
  state: ({ hidden }: CellSizes): LstmState => ({ h: init.zeros(hidden), c: init.zeros(hidden) }),
  step: ({ W, U, b, pi, pf, po }, x: Tensor, { h, c }) => {
    const [zi, zf, zg, zo] = x.matmul(W).add(h.matmul(U)).add(b).split(4, -1);
    const i = zi.add(pi.mul(c)).sigmoid();
    const f = zf.add(pf.mul(c)).sigmoid();
    const cNext = f.mul(c).add(i.mul(zg.tanh()));
    const o = zo.add(po.mul(cNext)).sigmoid();
    const hNext = o.mul(cNext.tanh());
    return [hNext, { h: hNext, c: cNext }];
  },
});
