import {
  layerNormalize,
  lstmCellState,
  lstmGates,
  lstmOutput,
  type Tensor,
} from "@chronograd/autodiff";
import { type Initializer, init, type LayerNormParams } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { forgetBias, gateBlocks } from "../gates.ts";
import type { LstmState } from "./lstm.ts";

/** Parameters of an LSTM cell with layer normalisation; columns are the gates i, f, g, o. */
export interface LstmLayerNormParams {
  /** `[I, 4H]` */
  readonly W: Initializer;
  /** `[H, 4H]` */
  readonly U: Initializer;
  /** Of `x W`, `[4H]` each. Its bias is that of the gates. */
  readonly normX: Readonly<LayerNormParams>;
  /** Of `h U`, `[4H]` each. */
  readonly normH: Readonly<LayerNormParams>;
  /** Of the memory before it is put out, `[H]` each. */
  readonly normC: Readonly<LayerNormParams>;
}

/**
 * Long short-term memory with layer normalisation, LN: the gates are functions of
 * `LN(x W) + LN(h_{t-1} U)`, each normalised over all gates of a row, `c_t = f c_{t-1} + i g`,
 * `h_t = o tanh(LN(c_t))` (Ba, Kiros & Hinton 2016, Layer normalization, eqs. 20 to 22). Each LN
 * has a gain and a bias, and 1e-5 is added to its variance. The paper's bias of the gates is that
 * of the first, which starts at 1 for the forget gate.
 *
 * @example
 * ```ts
 * import { lstmLayerNorm } from "@chronograd/rnn";
 *
 * lstmLayerNorm({ input: 3, hidden: 5 }).params.normX.gain.shape; // => [20]
 * ```
 */
export const lstmLayerNorm: (sizes: CellSizes) => Cell<LstmLayerNormParams, LstmState> = defineCell(
  {
    name: "lstmLayerNorm",
    sizes: ["input", "hidden"],
    params: ({ input, hidden }: CellSizes): LstmLayerNormParams => ({
      W: gateBlocks(4, () => init.glorot(input, hidden)),
      U: gateBlocks(4, () => init.orthogonal(hidden)),
      normX: { gain: init.ones(4 * hidden), bias: forgetBias(hidden) },
      normH: { gain: init.ones(4 * hidden), bias: init.zeros(4 * hidden) },
      normC: { gain: init.ones(hidden), bias: init.zeros(hidden) },
    }),
    state: ({ hidden }: CellSizes): LstmState => ({ h: init.zeros(hidden), c: init.zeros(hidden) }),
    step: ({ W, U, normX, normH, normC }, x: Tensor, { h, c }) => {
      const LN = (z: Tensor, { gain, bias }: typeof normX) => layerNormalize(z, gain, bias);
      const gates = lstmGates(LN(x.matmul(W), normX).add(LN(h.matmul(U), normH)));
      const cNext = lstmCellState(gates, c);
      const hNext = lstmOutput(gates, LN(cNext, normC));
      return [hNext, { h: hNext, c: cNext }];
    },
    equations: ({ W, U, normX, normH, normC }, x: Tensor, { h, c }) => {
      const LN = (z: Tensor, { gain, bias }: typeof normX) => {
        const d = z.sub(z.mean(-1, { keepDims: true }));
        const variance = d.square().mean(-1, { keepDims: true });
        return d.div(variance.add(1e-5).sqrt()).mul(gain).add(bias);
      };
      const [i, f, g, o] = LN(x.matmul(W), normX)
        .add(LN(h.matmul(U), normH))
        .split(4, -1);
      const memory = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      const output = o.sigmoid().mul(LN(memory, normC).tanh());
      return [output, { h: output, c: memory }];
    },
  },
);
