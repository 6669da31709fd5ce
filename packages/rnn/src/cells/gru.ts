import { gruGates, gruOutput, type Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { gateBlocks } from "../gates.ts";
import type { HiddenState } from "./elman.ts";

/**
 * Parameters of a GRU cell, with I inputs and H hidden units; columns are the gates r, z, n in
 * turn.
 */
export interface GruParams {
  /** `[I, 3H]` */
  readonly W: Initializer;
  /** `[H, 3H]` */
  readonly U: Initializer;
  /** `[3H]`, added to the input's side. */
  readonly b: Initializer;
  /** `[H]`, added to the candidate's recurrent side. */
  readonly bn: Initializer;
}

/**
 * Gated recurrent unit that applies the reset gate after the recurrent product, as PyTorch and
 * cuDNN do: `n = tanh(x W_n + b_n + r (h U_n + bn))`, `h_t = (1 - z) n + z h_{t-1}`.
 *
 * @example
 * ```ts
 * import { gru } from "@chronograd/rnn";
 *
 * gru({ input: 3, hidden: 5 }).params.U.shape; // => [5, 15]
 * ```
 */
export const gru: (sizes: CellSizes) => Cell<GruParams, HiddenState> = defineCell({
  name: "gru",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes): GruParams => ({
    W: gateBlocks(3, () => init.glorot(input, hidden)),
    U: gateBlocks(3, () => init.orthogonal(hidden)),
    b: init.zeros(3 * hidden),
    bn: init.zeros(hidden),
  }),
  state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(hidden) }),
  step: ({ W, U, b, bn }, x: Tensor, { h }) => {
    const next = gruOutput(gruGates(x.matmul(W).add(b), h.matmul(U), bn), h);
    return [next, { h: next }];
  },
  equations: ({ W, U, b, bn }, x: Tensor, { h }) => {
    const [xr, xz, xn] = x.matmul(W).add(b).split(3, -1);
    const [hr, hz, hn] = h.matmul(U).split(3, -1);
    const r = xr.add(hr).sigmoid();
    const z = xz.add(hz).sigmoid();
    const n = xn.add(r.mul(hn.add(bn))).tanh();
    const next = z.neg().add(1).mul(n).add(z.mul(h));
    return [next, { h: next }];
  },
});
