/** The cell of a new project. */
export const cell = `import { init } from "@chronograd/nn";
import { type CellSizes, defineCell } from "@chronograd/rnn";

/**
 * A leaky recurrent cell: each unit keeps a share of what it had, and learns which.
 *
 *     r = sigmoid(rate)
 *     h = (1 - r) h + r tanh(x W + h U + b)
 */
export const leaky = defineCell({
  name: "leaky",
  sizes: ["input", "hidden"],
  params: ({ input, hidden }: CellSizes) => ({
    W: init.glorot(input, hidden),
    U: init.orthogonal(hidden),
    b: init.zeros(hidden),
    rate: init.zeros(hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, U, b, rate }, x, { h }) => {
    const heard = x.matmul(W).add(h.matmul(U)).add(b).tanh();
    const next = h.add(rate.sigmoid().mul(heard.sub(h)));
    return [next, { h: next }];
  },
});

export default leaky;
`;
