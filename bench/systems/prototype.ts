import { scope, tree } from "@chronograd/autodiff";
import { readProblem } from "../problem.ts";
import type { Request } from "../protocol.ts";
import { type Maker, serve } from "../serve.ts";
import { BareLstm, parameterNames } from "./bareLstm.ts";
import { experiment } from "./train.ts";

/** The largest difference allowed, by the largest element of a gradient. */
const tolerance = 1e-4;

/**
 * Throws unless the gradients of the first batch are the library's; both have parameters in the
 * same order.
 */
function check(bare: BareLstm, request: Request): void {
  bare.forward(0);
  bare.backward();
  scope(() => {
    const { params, initial, batches, gradient } = experiment(request);
    const gradients = tree.leaves(gradient(params, initial, batches[0]!).gradients);
    parameterNames.forEach((name, index) => {
      const expected = gradients[index]!.toTypedArray();
      const start = bare.g[name] / 4;
      const got = bare.backend.memory.views.float32.subarray(start, start + expected.length);
      let most = 0;
      let difference = 0;
      for (let i = 0; i < expected.length; i++) {
        most = Math.max(most, Math.abs(expected[i]!));
        difference = Math.max(difference, Math.abs(expected[i]! - got[i]!));
      }
      if (difference <= tolerance * most) return;
      throw new Error(`the gradient of ${name} is off by ${difference} of ${most}`);
    });
  });
}

const train: Maker = (request) => {
  const bare = new BareLstm(request.config, readProblem(request.problem));
  check(bare, request);
  let batch = 0;
  return { step: () => bare.train(batch++) };
};

await serve({ versions: {}, note: "kernels without a tape" }, { train });
