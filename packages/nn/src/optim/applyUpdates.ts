import { type MapTree, map, type Tensor, zip } from "@chronograd/autodiff";
import { consume } from "@chronograd/autodiff/extend";

/**
 * Parameters plus updates, for a rule of your own: what every optimizer does last.
 *
 * It consumes `params`, as `optimizer.update` does, so that a stream of windows goes on with the result. int32 tensors
 * are passed on as they are.
 *
 * @param params a tree of tensors, not tracked by a tape
 * @param updates a tree of the same structure and shapes, which may live as shortly as a window
 * @throws when the trees differ in structure, a shape or a dtype, or a parameter is tracked by a tape
 *
 * @example
 * ```ts
 * import { map, type Tensor, tensor } from "@chronograd/autodiff";
 * import { applyUpdates } from "@chronograd/nn";
 *
 * const gradients = { w: tensor([1, 2]) };
 * const descent = map(gradients, (g: Tensor) => g.mul(-0.5));
 * applyUpdates({ w: tensor([1, 1]) }, descent).w.toArray(); // => [0.5, 0]
 * ```
 */
export function applyUpdates<P>(params: P, updates: MapTree<P, Tensor>): MapTree<P, Tensor> {
  map(params, (x: Tensor, path) => {
    if (x.tape === null) return;
    throw new TypeError(
      `applyUpdates: the parameter at "${path}" is tracked by a tape; pass the tree that was given to watch(...)`,
    );
  });
  const next = zip(params, updates, (x, update, path) => {
    if (x.dtype === "int32") return x;
    if (x.shape.length !== update.shape.length || x.shape.some((n, i) => n !== update.shape[i])) {
      throw new RangeError(
        `applyUpdates: the update at "${path}" must have shape [${x.shape}], got [${update.shape}]`,
      );
    }
    // A clone outlives the window that the update comes from.
    return x.add(update).clone();
  });
  zip(params, next, (x, successor) => {
    if (x !== successor) consume(x, successor, "applyUpdates");
    return successor;
  });
  return next;
}
