import type { MapTree, Tensor } from "@chronograd/autodiff";
import type { Clipped } from "../clip/clipped.ts";

/** What an optimizer remembers between updates, for saving and `load`. */
export interface OptimizerState {
  /** Which optimizer it belongs to: `"adam"`. */
  readonly optimizer: string;
  /** Updates done. */
  readonly step: number;
  /** Copies of the moments by name and parameter path: `"m.layers.0.W"`. */
  readonly moments: Readonly<Record<string, Tensor>>;
}

/** Turns parameters and their gradients into the next parameters. */
export interface Optimizer {
  /** Updates done so far. */
  readonly step: number;
  /** The learning rate of the next update. */
  readonly learningRate: number;
  /**
   * The parameters after one step against their gradients, as a new tree.
   *
   * It consumes `params`: their memory goes back as soon as no tape needs them, and touching them again throws; pass
   * `clone`s to keep the old values. int32 tensors, and whatever is not a tensor, are passed on as they are. Nothing
   * is changed when it throws.
   *
   * @param params a tree of tensors, not tracked by a tape
   * @param gradients a tree of the same structure, or what a `clip` function made of it
   * @throws when the trees differ in structure, a shape or a dtype; when a parameter is tracked or was consumed; when
   *   the parameters are not those of the updates before
   */
  update<P>(
    params: P,
    gradients: MapTree<P, Tensor> | Clipped<MapTree<P, Tensor>>,
  ): MapTree<P, Tensor>;
  /** What to save to go on later. Its tensors are copies, and belong to the scope that calls. */
  state(): OptimizerState;
  /**
   * Goes on from a saved state. It copies the tensors.
   *
   * @throws when the state is another optimizer's or incomplete
   */
  load(state: OptimizerState): void;
  /** Forgets the moments and the number of updates, and returns their memory at once. */
  reset(): void;
}
