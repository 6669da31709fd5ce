import type { MapTree, Tensor } from "@chronograd/autodiff";
import { applyUpdates, type GradientTransformation } from "../../src/index.ts";

/** An optimizer and its state, which go on together. */
export class Run<State = unknown> {
  readonly optimizer: GradientTransformation<State>;
  state: State | undefined;

  constructor(optimizer: GradientTransformation<State>) {
    this.optimizer = optimizer;
  }

  /** The parameters after one update. */
  update<P>(params: P, gradients: MapTree<P, Tensor>): MapTree<P, Tensor> {
    const before = this.state ?? this.optimizer.init(params);
    const [updates, next] = this.optimizer.update(gradients, before, params);
    this.state = next;
    return applyUpdates(params, updates as MapTree<P, Tensor>);
  }
}
