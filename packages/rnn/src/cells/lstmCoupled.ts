import type { Tensor } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { forgetBias, gateBlocks } from "../gates.ts";
import type { LstmParams, LstmState } from "./lstm.ts";

/**
 * Long short-term memory that writes as much as it forgets: the input gate is `i = 1 - f`, so
 * `c_t = f c_{t-1} + (1 - f) g`, `h_t = o tanh(c_t)`. Its parameters are those of `LstmParams` with
 * three blocks of columns, the gates f, g, o in turn: `W [I, 3H]`, `U [H, 3H]`, `b [3H]`. The
 * forget gate's bias starts at 1 (Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber 2017, LSTM:
 * a search space odyssey, variant CIFG).
 *
 * @example
 * ```ts
 * import { lstmCoupled } from "@chronograd/rnn";
 *
 * lstmCoupled({ input: 3, hidden: 5 }).params.W.shape; // => [3, 15]
 * ```
 */
export const lstmCoupled: (sizes: CellSizes) => Cell<LstmParams, LstmState> = defineCell({
  name: "lstmCoupled",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes): LstmParams => ({
    W: gateBlocks(3, () => init.glorot(input, hidden)),
    U: gateBlocks(3, () => init.orthogonal(hidden)),
    b: forgetBias(hidden, 3, 0),
  }),
  state: ({ hidden }: CellSizes): LstmState => ({ h: init.zeros(hidden), c: init.zeros(hidden) }),
  step: ({ W, U, b }, x: Tensor, { h, c }) => {
    const [zf, zg, zo] = x.matmul(W).add(h.matmul(U)).add(b).split(3, -1);
    const g = zg.tanh();
    const cNext = g.add(zf.sigmoid().mul(c.sub(g)));
    const hNext = zo.sigmoid().mul(cNext.tanh());
    return [hNext, { h: hNext, c: cNext }];
  },
});
