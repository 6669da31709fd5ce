import {
  type Backend,
  type FloatDType,
  type MapTree,
  type Tensor,
  tensor,
  tree,
} from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import type { Rng } from "../rng/rng.ts";
import { type Initializer, isInitializer, sizeOf } from "./initializer.ts";

/** Where parameters live and what their elements are. */
export interface InitializeOptions {
  /** float32 unless given; initializers of whole numbers give int32 all the same. */
  readonly dtype?: FloatDType;
  /** `defaultBackend()` unless given. */
  readonly backend?: Backend;
}

/**
 * The tree with every initializer replaced by a tensor, drawn from `rng.split(path)`: what one
 * parameter is drawn as does not depend on the others. Whatever is not an initializer stays as it
 * is.
 *
 * @throws for a generator that is none, two initializers at one path, or an initializer that draws
 *   too few or too many, or what is not finite in the dtype
 *
 * @example
 * ```ts
 * import { init, initialize, rng } from "@chronograd/nn";
 *
 * const params = initialize({ W: init.glorot(2, 3), b: init.zeros(3) }, rng(7));
 * params.W.shape; // => [2, 3]
 * params.b.toArray(); // => [0, 0, 0]
 * ```
 */
export function initialize<T>(
  values: T,
  rng: Rng,
  options: InitializeOptions = {},
): MapTree<T, Tensor, Initializer> {
  checkOptions("initialize", options, ["dtype", "backend"]);
  const { dtype = "float32", backend } = options;
  if (typeof rng?.split !== "function") {
    throw new TypeError(
      `initialize: expected a random generator, got ${shown(rng)}; make one with rng(seed)`,
    );
  }
  // Two places with one path would have one generator: leavesWithPath throws.
  tree.leavesWithPath(values, isInitializer);
  return tree.map(
    values,
    (initializer: Initializer, path) => {
      const { shape } = initializer;
      const elements = initializer.draw(path === "" ? rng : rng.split(path));
      if (elements.length !== sizeOf(shape)) {
        throw new RangeError(
          `initialize: the initializer at "${path}" drew ${elements.length} elements for shape [${shape.join(",")}], expected ${sizeOf(shape)}`,
        );
      }
      const own = initializer.dtype ?? dtype;
      const inOwn = own === "float32" ? Math.fround : Number;
      const bad = elements.find((x) => !Number.isFinite(inOwn(x)));
      if (bad !== undefined) {
        throw new RangeError(
          `initialize: the initializer at "${path}" drew ${bad}, which is not finite in ${own}; take a smaller scale`,
        );
      }
      return tensor(elements, { shape, dtype: own, ...(backend && { backend }) });
    },
    isInitializer,
  );
}
