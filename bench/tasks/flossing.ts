import { scope, tensor, valueAndGrad } from "@chronograd/autodiff";
import { adam, applyUpdates } from "@chronograd/nn";
import { gradientFlossing } from "@chronograd/rnn/flow";
import type { Estimator } from "./estimators.ts";

/** Updates by the flossing loss alone, on so many exponents of 32, measured over so many steps. */
const [updates, count, length, warmUp] = [80, 30, 25, 5];

/**
 * An estimator after gradient flossing (Engelken 2023, "preflossing"): before the training, the
 * largest Lyapunov exponents of the network are pushed to 0 on inputs of the task.
 */
export function flossedFirst(estimator: Estimator): Estimator {
  return {
    ...estimator,
    name: `${estimator.name}, flossed`,
    prepare(model, first, task, draws) {
      const optimizer = adam({ learningRate: 1e-2 });
      let params = first;
      let state = optimizer.init(params);
      for (let n = 0; n < updates; n++) {
        const inputs = tensor(task.draw(draws, 1).inputs, { shape: [task.steps, 1, task.inputs] });
        const stretch = { inputs: inputs.slice([[0, length]]) };
        [params, state] = scope(() => {
          const loss = valueAndGrad((now: unknown) =>
            gradientFlossing(model, now, stretch, { count, warmUp }),
          );
          const [, gradients] = loss(params);
          const [changes, next] = optimizer.update(gradients, state, params);
          return [applyUpdates(params, changes), next];
        });
      }
      return params;
    },
  };
}
