import type { Tensor } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { gateBlocks } from "../gates.ts";
import type { ElmanParams, HiddenState } from "./elman.ts";

/**
 * Minimal gated unit, whose one gate forgets and resets: `f = sigmoid(x W_f + h_{t-1} U_f + b_f)`,
 * `n = tanh(x W_n + (f h_{t-1}) U_n + b_n)`, `h_t = (1 - f) h_{t-1} + f n`. Its parameters have two
 * blocks of columns, f and n in turn: `W [I, 2H]`, `U [H, 2H]`, `b [2H]` (Zhou, Wu, Zhang & Zhou
 * 2016, Minimal gated unit for recurrent neural networks).
 *
 * @example
 * ```ts
 * import { mgu } from "@chronograd/rnn";
 *
 * mgu({ input: 3, hidden: 5 }).params.U.shape; // => [5, 10]
 * ```
 */
export const mgu: (sizes: CellSizes) => Cell<ElmanParams, HiddenState> = defineCell({
  name: "mgu",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes): ElmanParams => ({
    W: gateBlocks(2, () => init.glorot(input, hidden)),
    U: gateBlocks(2, () => init.orthogonal(hidden)),
    b: init.zeros(2 * hidden),
  }),
  state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(hidden) }),
  step: ({ W, U, b }, x: Tensor, { h }) => {
    const [xf, xn] = x.matmul(W).add(b).split(2, -1);
    const [Uf, Un] = U.split(2, -1);
    const f = xf.add(h.matmul(Uf)).sigmoid();
    const n = xn.add(f.mul(h).matmul(Un)).tanh();
    const next = h.add(f.mul(n.sub(h)));
    return [next, { h: next }];
  },
});
