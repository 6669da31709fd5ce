import type { Tensor } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { gateBlocks } from "../gates.ts";
import type { HiddenState } from "./elman.ts";
import type { GruParams } from "./gru.ts";

/** Parameters of a GRU cell that resets before the product; see `GruParams`. */
export type GruResetBeforeParams = Omit<GruParams, "bn">;

/**
 * Gated recurrent unit that applies the reset gate before the recurrent product, as first
 * published: `n = tanh(x W_n + (r h) U_n + b_n)`, `h_t = (1 - z) n + z h_{t-1}` (Cho et al. 2014,
 * with z and 1 - z exchanged as in PyTorch).
 *
 * @example
 * ```ts
 * import { gruResetBefore } from "@chronograd/rnn";
 *
 * gruResetBefore({ input: 3, hidden: 5 }).params.b.shape; // => [15]
 * ```
 */
export const gruResetBefore: (sizes: CellSizes) => Cell<GruResetBeforeParams, HiddenState> =
  defineCell({
    name: "gruResetBefore",
    sizes: ["input", "hidden"],
    params: ({ input, hidden }: CellSizes): GruResetBeforeParams => ({
      W: gateBlocks(3, () => init.glorot(input, hidden)),
      U: gateBlocks(3, () => init.orthogonal(hidden)),
      b: init.zeros(3 * hidden),
    }),
    state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(hidden) }),
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
