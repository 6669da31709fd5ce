import { compile, scope, type Tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm } from "@chronograd/nn";
import { adamEpsilon, clipNorm, learningRate } from "../problem.ts";
import type { Subject } from "../serve.ts";
import { compiles, isWhole } from "./configuration.ts";
import { kernelMemory } from "./memory.ts";

/** Clipping and Adam, as all cases have them. */
const optimizer = chain({
  clip: clipByGlobalNorm(clipNorm),
  adam: adam({ learningRate, epsilon: adamEpsilon }),
});
type OptimizerState = ReturnType<typeof optimizer.init>;

/** An update of parameters by a gradient, as a plan where the configuration has plans. */
export function updating<Params>(params: Params) {
  const recorded = (gradients: Params, state: OptimizerState, params: Params) => {
    const [updates, next] = optimizer.update(gradients as never, state, params as never);
    return [applyUpdates(params, updates as never) as Params, next] as const;
  };
  const update = compiles ? compile(recorded as never) : recorded;
  let state = optimizer.init(params as never);
  return {
    /** The next parameters, and the gradient's norm before clipping. */
    update(gradients: Params, params: Params): { params: Params; norm: number } {
      const [next, after] = scope(() => (update as typeof recorded)(gradients, state, params));
      state = after;
      return { params: next, norm: state.clip.norm.item() };
    },
  };
}

/** A loss, its gradient, and what the next step begins with. */
export interface Differentiated<Params, Carried> {
  readonly loss: Tensor;
  readonly gradients: Params;
  readonly carried: Carried;
}

/**
 * Steps that take the batches in turn. Each step hands `carried` on to the next. As the
 * configuration says, the whole step is one plan, or none but what the gradient itself plans.
 */
export function training<Params, Carried, Batch>(
  initial: { readonly params: Params; readonly carried: Carried },
  batch: (i: number) => Batch,
  gradient: (params: Params, carried: Carried, batch: Batch) => Differentiated<Params, Carried>,
): Subject {
  const recorded = (params: Params, state: OptimizerState, carried: Carried, batch: Batch) => {
    const { gradients, ...rest } = gradient(params, carried, batch);
    const [updates, next] = optimizer.update(gradients as never, state, params as never);
    return { ...rest, params: applyUpdates(params, updates as never) as Params, state: next };
  };
  const plan = compile(recorded as never);
  const step = (isWhole ? plan : recorded) as typeof recorded;
  let now = { ...initial, state: optimizer.init(initial.params as never) };
  let i = 0;
  return {
    step: () => {
      const { loss, ...next } = scope(() => step(now.params, now.state, now.carried, batch(i++)));
      now = next;
      return { loss: loss.item(), norm: next.state.clip.norm.item() };
    },
    facts: () => {
      const planned = isWhole ? !plan.explain().includes("not compiled") : compiles;
      return { ...kernelMemory(), compiled: planned ? "yes" : "no" };
    },
  };
}
