import { compile, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import {
  type AdamState,
  adam,
  applyUpdates,
  type ClipState,
  chain,
  clipByGlobalNorm,
} from "@chronograd/nn";

/** The state of the optimizer. */
export interface OptimizerState {
  readonly clip: ClipState;
  readonly adam: AdamState;
}

/** Clipping, and Adam at a rate that is given with each update. */
export interface Optimizer<Params> {
  init(params: Params): OptimizerState;
  /** The next parameters and state; those that were given are consumed. */
  update(
    gradients: unknown,
    state: OptimizerState,
    params: Params,
    rate: number,
  ): readonly [Params, OptimizerState];
}

/** The optimizer of every task. The update runs as a plan, so its rate is an input. */
export function optimizerOf<Params>({ clip }: { readonly clip: number }): Optimizer<Params> {
  const unit = chain({ clip: clipByGlobalNorm(clip), adam: adam({ learningRate: 1 }) });
  const update = compile(
    (gradients: unknown, state: OptimizerState, params: Params, rate: Tensor) => {
      const [updates, next] = unit.update(gradients as never, state, params as never);
      const scaled = tree.map(updates, (x: Tensor) => x.mul(rate));
      return [applyUpdates(params, scaled as never) as Params, next] as const;
    },
  );
  return {
    init: (params) => unit.init(params),
    update: (gradients, state, params, rate) =>
      scope(() =>
        update(gradients as never, state as never, params as never, tensor(rate)),
      ) as never,
  };
}
