import {
  compile,
  type DataParallelOptions,
  dataParallel,
  scope,
  type Tensor,
} from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm } from "@chronograd/nn";
import { adamEpsilon, clipNorm, learningRate } from "../problem.ts";
import type { Subject } from "../serve.ts";
import { compiles, isShared, isWhole, threading } from "./configuration.ts";
import { kernelMemory } from "./memory.ts";
import { planFacts } from "./planFacts.ts";

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

/** Where the rows are in what the gradient of a step takes and gives. */
export type Rows = Pick<DataParallelOptions<[unknown, unknown, unknown]>, "axis" | "out">;

/**
 * Steps that take the batches in turn. Each step hands `carried` on to the next. As the
 * configuration says, the whole step is one plan, or its gradient one for shards of the rows, or
 * none but what the gradient itself plans.
 */
export function training<Params, Carried, Batch>(
  initial: { readonly params: Params; readonly carried: Carried },
  batch: (i: number) => Batch,
  recorded: (params: Params, carried: Carried, batch: Batch) => Differentiated<Params, Carried>,
  rows: Rows,
): Subject {
  const shared = dataParallel(recorded as never, { ...rows, ...threading } as never);
  const gradient = (isShared ? shared : recorded) as typeof recorded;
  const updated = (gradients: Params, state: OptimizerState, params: Params) => {
    const [updates, next] = optimizer.update(gradients as never, state, params as never);
    return { params: applyUpdates(params, updates as never) as Params, state: next };
  };
  const update = (isShared ? compile(updated as never) : updated) as typeof updated;
  const inParts = (params: Params, state: OptimizerState, carried: Carried, batch: Batch) => {
    const { gradients, ...rest } = gradient(params, carried, batch);
    return { ...rest, ...update(gradients, state, params) };
  };
  const whole = compile(inParts as never);
  const step = (isWhole ? whole : inParts) as typeof inParts;
  let now = { ...initial, state: optimizer.init(initial.params as never) };
  let i = 0;
  return {
    step: () => {
      const { loss, ...next } = scope(() => step(now.params, now.state, now.carried, batch(i++)));
      now = next;
      return { loss: loss.item(), norm: next.state.clip.norm.item() };
    },
    facts: () => {
      if (isWhole || isShared) return planFacts((isWhole ? whole : shared).explain());
      return { ...kernelMemory(), compiled: compiles ? "yes" : "no" };
    },
  };
}
