import { scope, type Tensor } from "@chronograd/autodiff";
import { type Cell, runStep } from "../cell.ts";
import { unroll } from "../unroll.ts";
import type { SequenceModel } from "./sequenceModel.ts";

/** A layer whose output is added to its input. */
export function residual<Params, State>(
  layer: Cell<Params, State> | SequenceModel<Params, State>,
  where: string,
): Cell<Params, State> | SequenceModel<Params, State> {
  const added = (x: Tensor, y: Tensor): Tensor => {
    if (x.shape.join() === y.shape.join()) return x.add(y);
    throw new RangeError(
      `${where}: a residual needs an output of the shape of the input, got [${y.shape}] for [${x.shape}]; give the layers one width, or leave residual out`,
    );
  };
  if ("step" in layer) {
    return {
      ...layer,
      step(params, x, state) {
        const [y, next] = runStep(layer, params, x, state);
        return [added(x, y), next];
      },
    };
  }
  return {
    ...layer,
    unroll: (params, inputs, options) =>
      scope(() => {
        const { outputs, state } = unroll(layer, params, inputs, options);
        return { outputs: added(inputs as Tensor, outputs), state };
      }),
  };
}
