import type { MapTree, Tensor } from "@chronograd/autodiff";
import type { Initializer } from "../init/initializer.ts";

/** A pure function with parameters: how they start, and what it computes from drawn ones. */
export interface Layer<Params, Rest extends readonly unknown[]> {
  /** A tree of initializers; `initialize(layer.params, rng)` draws it. */
  readonly params: Params;
  apply(params: MapTree<Params, Tensor, Initializer>, ...rest: Rest): Tensor;
}
