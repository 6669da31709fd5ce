import { gruGates, gruOutput, type Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { gateBlocks } from "../gates.ts";
import type { HiddenState } from "./elman.ts";

/** Parameters of a GRU cell, with I inputs and H hidden units; columns are the gates r, z, n in turn. */
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

/** Parameters of a GRU cell of the original form; see `GruParams`. */
export type GruBeforeParams = Omit<GruParams, "bn">;

const initial = {
  params: ({ input, hidden }: CellSizes): GruBeforeParams => ({
    W: gateBlocks(3, () => init.glorot(input, hidden)),
    U: gateBlocks(3, () => init.orthogonal(hidden)),
    b: init.zeros(3 * hidden),
  }),
  state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(hidden) }),
};

/**
 * Gated recurrent unit that applies the reset gate after the recurrent product, as PyTorch and cuDNN do:
 * `n = tanh(x W_n + b_n + r (h U_n + bn))`, `h_t = (1 - z) n + z h_{t-1}`.
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
  params: (sizes: CellSizes): GruParams => ({
    ...initial.params(sizes),
    bn: init.zeros(sizes.hidden),
  }),
  state: initial.state,
  step: ({ W, U, b, bn }, x: Tensor, { h }) => {
    const next = gruOutput(gruGates(x.matmul(W).add(b), h.matmul(U), bn), h);
    return [next, { h: next }];
  },
});

/**
 * Gated recurrent unit that applies the reset gate before the recurrent product, as first published:
 * `n = tanh(x W_n + (r h) U_n + b_n)`, `h_t = (1 - z) n + z h_{t-1}` (Cho et al. 2014, with z and 1 - z exchanged as
 * in PyTorch).
 *
 * @example
 * ```ts
 * import { gruResetBefore } from "@chronograd/rnn";
 *
 * gruResetBefore({ input: 3, hidden: 5 }).params.b.shape; // => [15]
 * ```
 */
export const gruResetBefore: (sizes: CellSizes) => Cell<GruBeforeParams, HiddenState> = defineCell({
  name: "gruResetBefore",
  sizes: ["input", "hidden"],
  ...initial,
  step: ({ W, U, b }, x: Tensor, { h }) => {
    const hidden = h.shape.at(-1)!;
    const [xr, xz, xn] = x.matmul(W).add(b).split(3, -1);
    const [Ugates, Un] = U.split([2 * hidden, hidden], -1);
    const [hr, hz] = h.matmul(Ugates).split(2, -1);
    const r = xr.add(hr).sigmoid();
    const z = xz.add(hz).sigmoid();
    const n = xn.add(r.mul(h).matmul(Un)).tanh();
    const next = n.add(z.mul(h.sub(n)));
    return [next, { h: next }];
  },
});
