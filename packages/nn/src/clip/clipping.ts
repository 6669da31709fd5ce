import { type MapTree, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { transformation } from "../optim/consumeState.ts";
import { markFinite } from "../optim/finite.ts";
import { firstTensor } from "../optim/stepCount.ts";
import type { GradientTransformation } from "../optim/transformation.ts";
import { checkNonFinite, type Measured, measure, type NonFiniteAction } from "./nonFinite.ts";

/** What a link that clips remembers. */
export interface ClipState {
  /**
   * The norm of the gradients before clipping, a float64 scalar; 2-norm unless another order was
   * asked for.
   */
  readonly norm: Tensor;
}

/** A link that measures gradients, and then changes each float one. */
export function clipping(
  name: string,
  order: number,
  nonFinite: NonFiniteAction,
  change: (g: Tensor, measured: Measured<unknown>, path: string, params: unknown) => Tensor,
): GradientTransformation<ClipState> {
  checkNonFinite(nonFinite, name);
  return transformation<ClipState>(name, {
    init(params) {
      const backend = firstTensor(params)?.backend;
      return { norm: tensor(0, { dtype: "float64", ...(backend && { backend }) }) };
    },
    step(gradients, _state, params) {
      const measured = measure(gradients, order, nonFinite, name);
      const changed: Tensor[] = [];
      const clipped = tree.map(measured.gradients, (g: Tensor, path) => {
        if (g.dtype === "int32" || g.size === 0) return g;
        const next = change(g, measured, path, params);
        changed.push(next);
        return next;
      });
      if (nonFinite !== "pass") markFinite(changed);
      return [clipped as MapTree<typeof gradients, Tensor>, { norm: measured.norm }];
    },
  });
}
