import { type Tensor, tree } from "@chronograd/autodiff";
import type { Cell, Values } from "../../cell.ts";
import { textOf } from "../../checkDefinition.ts";
import type { Model } from "../../derivatives/model.ts";
import { sparsityOf } from "../../derivatives/sparsity.ts";
import type { AsyncStepSource, StepSource } from "../../truncated/stream.ts";
import type { Window, Windows } from "../../truncated/window.ts";
import { forwardWindows } from "./forwardWindows.ts";
import type { Influence } from "./influence.ts";
import { maskedInfluence } from "./masked.ts";
import type { ForwardOptions } from "./options.ts";

/** How `eprop` runs. */
export interface EpropOptions<State, Y = Tensor, Target = Tensor>
  extends ForwardOptions<State, Y, Target> {
  /**
   * Paths of the state's tensors that a cell shows to the others, such as `["h"]` of an LSTM: what
   * flows back through them is left out.
   */
  readonly visible: readonly string[];
}

/**
 * Eligibility propagation: each parameter's trace in the hidden state of its own unit, carried
 * forwards; what flows through the visible state, from unit to unit, is left out (Bellec et al.
 * 2020, "A solution to the learning dilemma for recurrent networks of spiking neurons").
 *
 * In the paper a unit has a hidden state s and a visible one z. The trace is
 * `e_t = ds_t/ds_{t-1} e_{t-1} + ds_t/dtheta`, with the z of the step before held constant, and the
 * learning signal the derivative of the loss of step t by z_t, without later losses. Here s and z
 * are tensors of the state: z is what `visible` names. Of an LSTM, z is `h` and s is `c`. A
 * visible state alone, as that of an Elman network, leaves one step.
 *
 * @param cell the model: a cell, or a `sequential` of cells and layers
 * @param params its parameters, as in `truncated`
 * @param stream steps, as in `truncated`
 * @returns windows, as those of `truncated`
 * @throws as `snap`, and for paths that the state does not have
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm } from "@chronograd/rnn";
 * import { eprop } from "@chronograd/rnn/estimators";
 *
 * const cell = lstm({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const target = tensor([[0, 0, 0]]);
 * const steps = [1, 2, 3].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = eprop(cell, params, steps, {
 *   visible: ["h"],
 *   k1: 3,
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * Array.from(windows, (window) => window.gradients.U.shape); // => [[3, 12]]
 * ```
 */
export function eprop<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: AsyncStepSource<X, Target>,
  options: EpropOptions<State, Y, Target>,
): AsyncGenerator<Window<Values<Params>, Values<State>>, void>;
export function eprop<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target>,
  options: EpropOptions<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void>;
export function eprop<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: EpropOptions<State, Y, Target>,
): Windows<Values<Params>, Values<State>> | AsyncGenerator<Window<Values<Params>, Values<State>>> {
  const own = ["visible"];
  const { visible } = (options ?? {}) as Partial<EpropOptions<State, Y, Target>>;
  const influence = (model: Model) => epropInfluence(model, visible!);
  return forwardWindows("eprop", influence, cell, params, stream, options, own);
}

function epropInfluence(model: Model, visible: readonly string[]): Influence<Tensor> {
  const { state } = model;
  const paths = tree.leavesWithPath(state).map(([path]) => path);
  const isList = Array.isArray(visible) && visible.every((path) => typeof path === "string");
  const unknown = isList ? visible.find((path) => !paths.includes(path)) : visible;
  if (!isList || unknown !== undefined) {
    throw new TypeError(
      `eprop: visible must be a list of paths of the state, some of ${paths.map((path) => `"${path}"`).join(", ")}, got ${textOf(unknown)}; of an LSTM it is ["h"]`,
    );
  }
  const sparsity = sparsityOf(model);
  const through = tree.leavesWithPath(state).flatMap(([path, x]) => {
    if (x.dtype === "int32") return [];
    return new Array<number>(x.size / x.shape[0]!).fill(visible.includes(path) ? 0 : 1);
  });
  return maskedInfluence(model, sparsity, {
    elements: sparsity.immediate,
    through: Uint8Array.from(through),
    description: `the traces of units, nothing through ${visible.join(", ") || "no path"}`,
  });
}
