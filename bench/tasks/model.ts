import { type Tensor, tensor } from "@chronograd/autodiff";
import { init, linear, type Rng } from "@chronograd/nn";
import { type Cell, defineCell, gru, initialParams, lstm, sequential } from "@chronograd/rnn";
import type { Task } from "./task.ts";

/** Which network learns a task. */
export interface ModelSizes {
  readonly cell: "gru" | "lstm" | "random";
  readonly hidden: number;
  /** Of an LSTM: the longest lag that the first biases of its gates are made for, if any. */
  readonly longestLag?: number;
}

/** A cell and a linear layer on it; the types of its trees do not matter to a loop of training. */
export type Model = Cell<unknown, unknown>;

/**
 * The network of Engelken 2023, with `h = tanh(x)` as its state: Gaussian weights of the variance
 * 1 / H, which is where chaos begins (Sompolinsky, Crisanti & Sommers 1988).
 */
const random = defineCell({
  params: ({ input, hidden }) => ({
    W: init.normal(1, input, hidden),
    U: init.normal(1 / Math.sqrt(hidden), hidden, hidden),
    b: init.uniform(0.1, hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, U, b }, x: Tensor, { h }) => {
    const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
    return [next, { h: next }];
  },
});

export function modelOf(
  { cell, hidden }: ModelSizes,
  { inputs, outputs }: Pick<Task, "inputs" | "outputs">,
): Model {
  const sizes = { input: inputs, hidden };
  const head = linear({ input: hidden, output: outputs });
  const cells = { gru, lstm, random };
  return sequential({ cell: cells[cell](sizes) as Model, head }) as unknown as Model;
}

export function firstParams(model: Model, { hidden, longestLag }: ModelSizes, draws: Rng): unknown {
  const params = initialParams(model, draws.split("params"));
  if (longestLag === undefined) return params;
  // Chrono initialization (Tallec & Ollivier 2018, "Can recurrent neural networks warp time?"): the
  // biases of the forget gates are log u, for u uniform from 1 to T - 1, and those of the input
  // gates the opposite. The gates are i, f, g, o.
  const lags = draws.split("lags");
  const b = new Float32Array(4 * hidden);
  for (let k = 0; k < hidden; k++) {
    b[hidden + k] = Math.log(1 + (longestLag - 2) * lags.uniform());
    b[k] = -b[hidden + k]!;
  }
  const { cell, ...others } = params as { readonly cell: Readonly<Record<string, Tensor>> };
  return { cell: { ...cell, b: tensor(b) }, ...others };
}
