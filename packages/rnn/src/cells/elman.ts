import type { Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import { type Cell, type CellSizes, defineCell } from "../cell.ts";

/** Parameters of an Elman cell, with I inputs and H hidden units. */
export interface ElmanParams {
  /** `[I, H]` */
  readonly W: Initializer;
  /** `[H, H]` */
  readonly U: Initializer;
  /** `[H]` */
  readonly b: Initializer;
}

/** The state of a cell that has only one: `h`, `[B, H]`. */
export interface HiddenState {
  readonly h: Initializer;
}

const parts = {
  name: "elman",
  sizes: ["input", "hidden", "activation"] as const,
  params: ({ input, hidden }: ElmanSizes): ElmanParams => ({
    W: init.glorot(input, hidden),
    U: init.orthogonal(hidden),
    b: init.zeros(hidden),
  }),
  state: ({ hidden }: ElmanSizes): HiddenState => ({ h: init.zeros(hidden) }),
};

function withActivation(
  activation: (x: Tensor) => Tensor,
): (sizes: ElmanSizes) => Cell<ElmanParams, HiddenState> {
  return defineCell({
    ...parts,
    step: ({ W, U, b }, x: Tensor, { h }) => {
      const next = activation(x.matmul(W).add(h.matmul(U)).add(b));
      return [next, { h: next }];
    },
  });
}

const tanhCell = withActivation((x) => x.tanh());
const reluCell = withActivation((x) => x.relu());

/** Sizes of an Elman cell, and its activation. */
export interface ElmanSizes extends CellSizes {
  /** `"tanh"` unless given. */
  readonly activation?: "tanh" | "relu";
}

/**
 * The simple recurrent network: `h_t = f(x_t W + h_{t-1} U + b)` with tanh or relu (Elman 1990).
 *
 * @example
 * ```ts
 * import { elman } from "@chronograd/rnn";
 *
 * elman({ input: 3, hidden: 5 }).params.U.shape; // => [5, 5]
 * ```
 */
export function elman(sizes: ElmanSizes): Cell<ElmanParams, HiddenState> {
  const { activation = "tanh" } = Object(sizes) as ElmanSizes;
  if (activation !== "tanh" && activation !== "relu") {
    throw new TypeError(
      `elman: activation must be "tanh" or "relu", got ${JSON.stringify(activation)}`,
    );
  }
  return (activation === "tanh" ? tanhCell : reluCell)(sizes);
}
