import { lstmCellState, lstmGates, lstmOutput, type Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";
import { forgetBias, gateBlocks } from "../gates.ts";
import type { LstmParams, LstmState } from "./lstm.ts";

/** Sizes of an LSTM cell whose output is projected. */
export interface LstmProjectedSizes extends CellSizes {
  /** Length P of an output row; `hidden` is that of a memory row, H. */
  readonly projection: number;
}

/** Parameters of an LSTM cell whose output is projected: `U` is `[P, 4H]`. */
export interface LstmProjectedParams extends LstmParams {
  /** `[H, P]` */
  readonly Whr: Initializer;
}

/**
 * Long short-term memory with a projection: `c_t = f c_{t-1} + i g` as in `lstm`, and
 * `h_t = (o tanh(c_t)) Whr`, which is shorter than the memory. So the state is `h [B, P]`,
 * `c [B, H]` (Sak, Senior & Beaufays 2014, Long short-term memory recurrent neural network
 * architectures for large scale acoustic modeling; PyTorch's `proj_size`). The forget gate's bias
 * starts at 1.
 *
 * @example
 * ```ts
 * import { lstmProjected } from "@chronograd/rnn";
 *
 * const cell = lstmProjected({ input: 3, hidden: 5, projection: 2 });
 * [cell.params.U.shape, cell.params.Whr.shape, cell.state.h.shape]; // => [[2, 20], [5, 2], [2]]
 * ```
 */
export const lstmProjected: (sizes: LstmProjectedSizes) => Cell<LstmProjectedParams, LstmState> =
  defineCell({
    name: "lstmProjected",
    sizes: ["input", "hidden", "projection"],
    params: ({ input, hidden, projection }: LstmProjectedSizes): LstmProjectedParams => ({
      W: gateBlocks(4, () => init.glorot(input, hidden)),
      U: gateBlocks(4, () => init.orthogonal(projection, hidden)),
      b: forgetBias(hidden),
      Whr: init.glorot(hidden, projection),
    }),
    state: ({ hidden, projection }: LstmProjectedSizes): LstmState => ({
      h: init.zeros(projection),
      c: init.zeros(hidden),
    }),
    step: ({ W, U, b, Whr }, x: Tensor, { h, c }) => {
      const gates = lstmGates(x.matmul(W).add(h.matmul(U)).add(b));
      const cNext = lstmCellState(gates, c);
      const hNext = lstmOutput(gates, cNext).matmul(Whr);
      return [hNext, { h: hNext, c: cNext }];
    },
    equations: ({ W, U, b, Whr }, x: Tensor, { h, c }) => {
      const [i, f, g, o] = x.matmul(W).add(h.matmul(U)).add(b).split(4, -1);
      const memory = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      const output = o.sigmoid().mul(memory.tanh()).matmul(Whr);
      return [output, { h: output, c: memory }];
    },
    example: { sizes: { input: 2, hidden: 3, projection: 2 } },
  });
