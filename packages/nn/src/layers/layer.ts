import type { MapTree, Tensor } from "@chronograd/autodiff";
import type { Initializer } from "../init/initializer.ts";

/** A pure function with parameters: how they start, and what it computes from drawn ones. */
export interface Layer<Params, Rest extends readonly unknown[]> {
  /** A tree of initializers; `initialize(layer.params, rng)` draws it. */
  readonly params: Params;
  apply(params: MapTree<Params, Tensor, Initializer>, ...rest: Rest): Tensor;
}

/** Throws a sentence unless `value` is a whole number of at least 1. @internal */
export function checkCount(value: number, name: string, where: string): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new RangeError(
    `${where}: ${name} must be a whole number of at least 1, got ${String(value)}`,
  );
}
