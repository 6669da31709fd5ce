import type { Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import type { Cell, CellSizes } from "../cell.ts";
import { gateBlocks } from "../gates.ts";
import { defineLinearCell } from "../linear/defineLinearCell.ts";
import type { HiddenState } from "./elman.ts";

/** Parameters of a minGRU cell, with I inputs and H hidden units; columns are z and n in turn. */
export interface MinGruParams {
  /** `[I, 2H]` */
  readonly W: Initializer;
  /** `[2H]` */
  readonly b: Initializer;
}

/**
 * The gated recurrent unit whose gates do not read the state: `z = sigmoid(x W_z + b_z)`,
 * `n = x W_n + b_n`, `h_t = (1 - z) h_{t-1} + z n` (Feng et al. 2024, Were RNNs all we needed?,
 * section 3.1; a GRU with z and 1 - z exchanged). It takes a whole sequence at once. This is the
 * plain form, not that of logarithms: every state is a mean of the one before and of n, with
 * weights from 0 to 1, and a scan step by step divides by no product of them, so nothing overflows.
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, minGru, unroll } from "@chronograd/rnn";
 *
 * const cell = minGru({ input: 3, hidden: 5 });
 * const params = initialParams(cell, rng(1));
 * unroll(cell, params, zeros([7, 2, 3]), { parallel: true }).outputs.shape; // => [7, 2, 5]
 * ```
 */
export const minGru: (sizes: CellSizes) => Cell<MinGruParams, HiddenState> = defineLinearCell({
  name: "minGru",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes): MinGruParams => ({
    W: gateBlocks(2, () => init.glorot(input, hidden)),
    b: init.zeros(2 * hidden),
  }),
  state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(hidden) }),
  transition: ({ W, b }, x: Tensor) => {
    const [z, n] = x.matmul(W).add(b).split(2, -1);
    return { a: z.neg().sigmoid(), b: z.sigmoid().mul(n) };
  },
});
