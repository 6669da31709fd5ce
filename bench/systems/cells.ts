import { init } from "@chronograd/nn";
import { type CellSizes, defineCell, gru, lstm } from "@chronograd/rnn";

/** The LSTM as a user writes it, from plain ops. */
const custom = defineCell({
  params: ({ input, hidden }: CellSizes) => ({
    W: init.zeros(input, 4 * hidden),
    U: init.zeros(hidden, 4 * hidden),
    b: init.zeros(4 * hidden),
  }),
  state: ({ hidden }: CellSizes) => ({ h: init.zeros(hidden), c: init.zeros(hidden) }),
  step: ({ W, U, b }, x, { h, c }) => {
    const gates = x.matmul(W).add(h.matmul(U)).add(b);
    const [i, f, g, o] = gates.split(4, -1);
    const cNext = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    const hNext = o.sigmoid().mul(cNext.tanh());
    return [hNext, { h: hNext, c: cNext }];
  },
});

/** The cells of the training cases, by model. */
export const cells = { lstm, gru, custom } as const;
