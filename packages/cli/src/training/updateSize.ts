import { clone, scope, type Tensor, tree } from "@chronograd/autodiff";
import { updateToWeightRatio } from "@chronograd/rnn/flow";

/** Parameters that the next update does not consume. */
export const copied = (params: unknown): unknown => tree.map(params, (x: Tensor) => clone(x));

/** The size of an update beside that of the weights; 0 where all weights are 0. */
export function updateSize(earlier: unknown, params: unknown): number {
  return scope(() => {
    const weights = tree.leaves(earlier);
    const differences = tree.leaves(params).map((x, i) => x.sub(weights[i]!));
    return updateToWeightRatio(differences, weights).total ?? 0;
  });
}
