import type { Tensor } from "@chronograd/autodiff";
import type { Cell, Values } from "../../cell.ts";
import { textOf } from "../../checkDefinition.ts";
import type { Model } from "../../derivatives/model.ts";
import { type Sparsity, sparsityOf } from "../../derivatives/sparsity.ts";
import type { AsyncStepSource, StepSource } from "../../truncated/stream.ts";
import type { Window, Windows } from "../../truncated/window.ts";
import { forwardWindows } from "./forwardWindows.ts";
import type { Influence } from "./influence.ts";
import { maskedInfluence } from "./masked.ts";
import type { ForwardOptions } from "./options.ts";

/** How `snap` runs. */
export interface SnapOptions<State, Y = Tensor, Target = Tensor>
  extends ForwardOptions<State, Y, Target> {
  /** n: how many steps a parameter may take to reach the elements of S that are kept; 1 or more. */
  readonly order: number;
}

/**
 * Sparse n-step approximation of real-time recurrent learning: of `S = dh/dtheta` it keeps the
 * elements that a parameter reaches within n steps, and takes all others for 0 (Menick et al. 2021,
 * "Practical real time recurrent learning with a sparse approximation").
 *
 * Which these are is found from the cell itself, by random trials of its step, and checked against
 * a pullback at steps 1, 2, 4, 8 and so on. With n large it is `rtrl`. The loss of a step is
 * credited through that step exactly; the approximation is in what lies before it. The paper masks
 * S in the step of the loss too, and so leaves out more. With n = 1 and a cell whose parameters
 * move one component of the state each, a step costs about as much as back-propagation, and the
 * Jacobian of the step.
 *
 * @param cell the model: a cell, or a `sequential` of cells and layers
 * @param params its parameters, as in `truncated`
 * @param stream steps, as in `truncated`
 * @returns windows, as those of `truncated`, whose gradients reach back to the beginning
 * @throws as `rtrl`; for an order that is no whole number of at least 1; where a parameter is found
 *   to move what it did not move in the trials
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 * import { snap } from "@chronograd/rnn/estimators";
 *
 * const cell = gru({ input: 1, hidden: 3 });
 * const params = initialParams(cell, rng(1));
 * const target = tensor([[0, 0, 0]]);
 * const steps = [1, 2, 3].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = snap(cell, params, steps, {
 *   order: 1,
 *   k1: 1,
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * const { value: window } = windows.next();
 * window!.explain().split(";")[0]; // => "48 of 144 elements of S = dh/dtheta (those reached in 1 step), 1 pullback of a row"
 * ```
 */
export function snap<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: AsyncStepSource<X, Target>,
  options: SnapOptions<State, Y, Target>,
): AsyncGenerator<Window<Values<Params>, Values<State>>, void>;
export function snap<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target>,
  options: SnapOptions<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void>;
export function snap<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: SnapOptions<State, Y, Target>,
): Windows<Values<Params>, Values<State>> | AsyncGenerator<Window<Values<Params>, Values<State>>> {
  const own = ["order"];
  const { order } = (options ?? {}) as Partial<SnapOptions<State, Y, Target>>;
  return forwardWindows(
    "snap",
    (model) => snapInfluence(model, order!),
    cell,
    params,
    stream,
    options,
    own,
  );
}

function snapInfluence(model: Model, order: number): Influence<Tensor> {
  if (!Number.isInteger(order) || order < 1) {
    throw new RangeError(
      `snap: order must be a whole number of steps of at least 1, got ${textOf(order)}; rtrl keeps all of S`,
    );
  }
  const { size: H } = model;
  const sparsity = sparsityOf(model);
  const elements = reached(sparsity, H, order);
  const description = `those reached in ${order} ${order === 1 ? "step" : "steps"}`;
  return maskedInfluence(model, sparsity, {
    elements,
    through: new Uint8Array(H).fill(1),
    description,
  });
}

/** Which components of the state each parameter moves within `order` steps: H x P. */
function reached({ immediate, transition }: Sparsity, H: number, order: number): Uint8Array {
  const P = immediate.length / H;
  let elements = immediate.slice();
  for (let n = 1; n < order; n++) {
    const next = elements.slice();
    for (let i = 0; i < H; i++) {
      for (let k = 0; k < H; k++) {
        if (transition[i * H + k] === 0) continue;
        for (let p = 0; p < P; p++) if (elements[k * P + p] === 1) next[i * P + p] = 1;
      }
    }
    if (next.every((value, i) => value === elements[i])) break;
    elements = next;
  }
  return elements;
}
