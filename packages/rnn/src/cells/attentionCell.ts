import {
  concat,
  lstmCellState,
  lstmGates,
  lstmOutput,
  type Tensor,
  tensor,
  where,
} from "@chronograd/autodiff";
import { dotProductAttention, type Initializer, init, initialize, type Rng } from "@chronograd/nn";
import { type AttentionContext, checkContext } from "../attention.ts";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { forgetBias, gateBlocks } from "../gates.ts";
import type { LstmParams, LstmState } from "./lstm.ts";

/** Sizes of an attention cell. */
export interface AttentionSizes extends CellSizes {
  /** Length D of a row of the context. */
  readonly context: number;
}

/** Parameters of an attention cell; `W` is `[I + H, 4H]`, as the attention is fed back. */
export interface AttentionParams extends LstmParams {
  /** From `h` to what it looks for in the context, `[H, D]`. */
  readonly Wa: Initializer;
  /** From what it found, and `h`, to the output, `[D + H, H]`. */
  readonly Wc: Initializer;
}

/** The state of an attention cell: that of an LSTM cell, and the last output `[B, H]`. */
export interface AttentionState extends LstmState {
  readonly attention: Initializer;
}

/** An input of an attention cell: its own, `x [B, I]`, and the context. */
export interface AttentionInput {
  readonly x: Tensor;
  readonly context: AttentionContext;
}

/** What an attention cell puts out. */
export interface AttentionOutput {
  /** The attention vector `[B, H]`. */
  readonly output: Tensor;
  /** How much it attends to each position, `[B, S]`; the sum of a row is 1. */
  readonly weights: Tensor;
}

/**
 * A long short-term memory that attends over a sequence: with its state `h_t` it reads
 * `weights = softmax(values (h_t Wa)')`, `read = weights values`, and puts out
 * `a_t = tanh([read, h_t] Wc)`, which is fed back: the memory's input is `[x_t, a_{t-1}]` (Luong,
 * Pham & Manning 2015, Effective approaches to attention-based neural machine translation: global
 * attention with the general score, and input feeding).
 *
 * The score is computed as `values (h_t Wa)'`, not as `(values Wa') h_t'`: so the context needs no
 * projection at any step. Positions that the mask leaves out are not read: their weight is 0, and
 * what stands there, even NaN, reaches neither results nor gradients. A row without any position
 * reads zeros.
 *
 * @throws when the context does not fit the sizes, or a mask is not int32 `[B, S]`
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { attentionCell, initialParams, unroll } from "@chronograd/rnn";
 *
 * const cell = attentionCell({ input: 3, hidden: 5, context: 4 });
 * const params = initialParams(cell, rng(1));
 * // Two rows attend over three positions, of which the second row has only one.
 * const mask = tensor([[1, 1, 1], [1, 0, 0]], { dtype: "int32" });
 * const context = { values: ones([2, 3, 4]), mask };
 * const { outputs } = unroll(cell, params, ones([6, 2, 3]), { context });
 * outputs.output.shape; // => [6, 2, 5]
 * outputs.weights.slice([5, 1]).toArray(); // => [1, 0, 0]
 * ```
 */
export const attentionCell: (
  sizes: AttentionSizes,
) => Cell<AttentionParams, AttentionState, AttentionInput, AttentionOutput> = defineCell({
  name: "attentionCell",
  sizes: ["input", "hidden", "context"],
  params: ({ input, hidden, context }: AttentionSizes): AttentionParams => ({
    W: gateBlocks(4, () => init.glorot(input + hidden, hidden)),
    U: gateBlocks(4, () => init.orthogonal(hidden)),
    b: forgetBias(hidden),
    Wa: init.glorot(hidden, context),
    Wc: init.glorot(context + hidden, hidden),
  }),
  state: ({ hidden }: AttentionSizes): AttentionState => ({
    h: init.zeros(hidden),
    c: init.zeros(hidden),
    attention: init.zeros(hidden),
  }),
  step: ({ W, U, b, Wa, Wc }, { x, context }: AttentionInput, { h, c, attention }, sizes) => {
    checkContext(context, h.shape[0]!, sizes.context);
    const gates = lstmGates(concat([x, attention], -1).matmul(W).add(h.matmul(U)).add(b));
    const cNext = lstmCellState(gates, c);
    const hNext = lstmOutput(gates, cNext);
    const { values, mask } = context;
    const query = hNext.matmul(Wa).expandDims(1);
    const found = dotProductAttention(query, values, values, { ...(mask && { mask }), scale: 1 });
    const [read, weights] = [found.read.squeeze(1), found.weights.squeeze(1)];
    const output = concat([read, hNext], -1).matmul(Wc).tanh();
    return [
      { output, weights },
      { h: hNext, c: cNext, attention: output },
    ];
  },
  equations: ({ W, U, b, Wa, Wc }, { x, context }: AttentionInput, { h, c, attention }) => {
    const { values, mask } = context;
    const z = concat([x, attention], -1).matmul(W).add(h.matmul(U)).add(b);
    const [i, f, g, o] = z.split(4, -1);
    const memory = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    const shown = o.sigmoid().mul(memory.tanh());
    const all = values.mul(shown.matmul(Wa).expandDims(1)).sum(-1).exp();
    const parts = mask ? where(mask, all, 0) : all;
    const sum = parts.sum(-1, { keepDims: true });
    const weights = parts.div(where(sum, sum, 1));
    const read = values.mul(weights.expandDims(-1)).sum(1);
    const output = concat([read, shown], -1).matmul(Wc).tanh();
    return [
      { output, weights },
      { h: shown, c: memory, attention: output },
    ];
  },
  example: {
    sizes: { input: 2, hidden: 3, context: 2 },
    input(random: Rng, batch: number) {
      const normal = (...shape: number[]) =>
        initialize(init.normal(1, ...shape), random, { dtype: "float64" });
      const mask = Int32Array.from({ length: 4 * batch }, () => random.integer(0, 2));
      const values = normal(batch, 4, 2);
      return {
        x: normal(batch, 2),
        context: { values, mask: tensor(mask, { shape: [batch, 4] }) },
      };
    },
  },
});
