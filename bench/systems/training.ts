import { compile, scope, type Tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm } from "@chronograd/nn";
import { adamEpsilon, clipNorm, learningRate } from "../problem.ts";
import type { Subject } from "../serve.ts";
import { kernelMemory } from "./memory.ts";

/** Clipping and Adam, as all cases have them. */
export const makeOptimizer = () =>
  chain({
    clip: clipByGlobalNorm(clipNorm),
    adam: adam({ learningRate, epsilon: adamEpsilon }),
  });

/** Steps that take the batches in turn; as a plan of the whole gradient, or as it is written. */
export function training<Params, Batch>(
  initial: Params,
  batch: (i: number) => Batch,
  recorded: (params: Params, batch: Batch) => { loss: Tensor; gradients: Params },
  compiles: boolean,
): Subject {
  const plan = compile(recorded);
  const gradient = compiles ? plan : recorded;
  const optimizer = makeOptimizer();
  let params = initial;
  let state = optimizer.init(params);
  let i = 0;
  return {
    step: () => {
      let outcome = { loss: 0, norm: 0 };
      [params, state] = scope(() => {
        const { loss, gradients } = gradient(params, batch(i++));
        const [updates, next] = optimizer.update(gradients, state, params);
        outcome = { loss: loss.item(), norm: next.clip.norm.item() };
        return [applyUpdates(params, updates) as Params, next] as const;
      });
      return outcome;
    },
    facts: () => {
      const planned = compiles && !plan.explain().includes("not compiled");
      return { ...kernelMemory(), compiled: planned ? "yes" : "no" };
    },
  };
}
