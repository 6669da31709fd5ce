import { type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  embedding,
  linear,
  rng,
} from "@chronograd/nn";
import { initialParams, lstm, sequential, type TimeStep, truncated } from "@chronograd/rnn";
import { clipNorm, learningRate } from "../problem.ts";
import { sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";
import { compiles } from "./configuration.ts";
import { kernelMemory } from "./memory.ts";

/** Trains on a stream of T steps from its beginning to its end, in windows. */
export const stream: Maker = ({ config }) => {
  const [H, B, T, V, k1, k2] = ["H", "B", "T", "V", "k1", "k2"].map((name) =>
    sizeOf(config, name),
  ) as [number, number, number, number, number, number];
  const model = sequential({
    symbols: embedding({ input: V, output: H }),
    cell: lstm({ input: H, hidden: H }),
    head: linear({ input: H, output: V }),
  });
  function* steps(): Generator<TimeStep<Tensor, Tensor>> {
    const symbol = (t: number, row: number): number => (t * t + 7 * row) % V;
    for (let t = 0; t < T; t++) {
      const input = tensor(Int32Array.from({ length: B }, (_, row) => symbol(t, row)));
      const target = tensor(Int32Array.from({ length: B }, (_, row) => symbol(t + 1, row)));
      yield { input, target };
    }
  }
  const options = {
    k1,
    k2,
    reduction: "mean",
    compile: compiles,
    loss: (logits: Tensor, target: Tensor) => crossEntropy(logits, target, { reduction: "none" }),
  } as const;
  return {
    step: () => {
      let params = initialParams(model, rng(1));
      const optimizer = chain({ clip: clipByGlobalNorm(clipNorm), adam: adam({ learningRate }) });
      let state = optimizer.init(params);
      for (const window of truncated(model, params, steps(), options)) {
        const [updates, next] = optimizer.update(window.gradients, state, params);
        params = applyUpdates(params, updates);
        state = next;
      }
      return {};
    },
    facts: kernelMemory,
  };
};
