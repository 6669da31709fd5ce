import { type Tensor, tree } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { runStep } from "../runStep.ts";

/** Parameters of a cell whose initial state is learned. */
export interface LearnedStateParams<Params, State> {
  readonly cell: Params;
  /** One row of the initial state; it starts as the cell's. */
  readonly initial: State;
}

/**
 * A cell whose initial state is a parameter, one row for the whole batch: gradients reach it from
 * the first step, and wherever a row is reset. What it starts as is the cell's own initial state.
 *
 * @throws for a cell that has a learned initial state already, and for what is no cell
 *
 * @example
 * ```ts
 * import { grad, ones } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams, learnedState, unroll } from "@chronograd/rnn";
 *
 * const cell = learnedState(gru({ input: 3, hidden: 5 }));
 * const params = initialParams(cell, rng(1));
 * params.initial.h.shape; // => [5]
 * const loss = (p: typeof params) => unroll(cell, p, ones([7, 2, 3])).outputs.sum();
 * grad(loss)(params).initial.h.shape; // => [5]
 * ```
 */
export function learnedState<Params, State, X = Tensor, Y = Tensor>(
  cell: Cell<Params, State, X, Y>,
): Cell<LearnedStateParams<Params, State>, State, X, Y> {
  const where = "learnedState";
  checkCell(where, cell, "step");
  if (cell.initial !== undefined) {
    throw new TypeError(
      `${where}: the initial state of the cell is learned already; leave ${where} out`,
    );
  }
  const { params, state, input, noise, linear } = cell;
  type Own = { readonly cell: Values<Params>; readonly initial: Values<State> };
  const inner = (own: unknown) => (own as Own).cell;
  return {
    params: { cell: params, initial: state },
    state,
    ...(input && { input }),
    ...(noise !== undefined && { noise }),
    initial: (own, batch) =>
      tree.map((own as unknown as Own).initial, (row: Tensor) =>
        row.broadcastTo([batch, ...row.shape]),
      ) as Values<State>,
    step: (own, x, before, drawn) => runStep(cell, inner(own), x, before, drawn),
    ...(linear && {
      linear: {
        complex: linear.complex,
        transition: (own, x) => linear.transition(inner(own), x),
        output: (own, h, x) => linear.output(inner(own), h, x),
      },
    }),
  };
}
