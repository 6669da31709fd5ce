import { setImmediate } from "node:timers/promises";
import { scope, type Tensor } from "@chronograd/autodiff";
import * as nn from "@chronograd/nn";
import { distributedValueAndGrad, shard } from "@chronograd/nn/parallel";
import { initialParams, type Values } from "@chronograd/rnn";
import { isSo } from "../../ranks.ts";
import { type Bouncing, bouncing } from "./bouncing.ts";
import type { Digits } from "./digits.ts";
import { type Forecaster, logitsOf } from "./model.ts";

/** How a model of frames is trained. */
export interface Training {
  readonly seed: number;
  /** Sequences in a batch, of all ranks together. */
  readonly rows: number;
  readonly updates: number;
  readonly rate: number;
  /** Frames at the end of a sequence that it does not see in the end, but for the first. */
  readonly ahead: number;
  readonly how: Bouncing;
}

/**
 * Trains by Adam on the loss of every frame but the first.
 *
 * @param communicator the ranks that share each batch
 * @param see is told the loss of each update; `false` on the first rank ends the training
 */
export async function train(
  model: Forecaster,
  images: Digits,
  { seed, rows, updates, rate, ahead, how }: Training,
  communicator: nn.Communicator,
  see: (loss: number) => boolean,
): Promise<Values<Forecaster["params"]>> {
  let params = initialParams(model, nn.rng(seed, "parameters"));
  const lossOf = distributedValueAndGrad(
    (p: typeof params, frames: Tensor, shown: number) => {
      const logits = logitsOf(model, p, frames.slice([[0, -1]]), shown);
      return nn.binaryCrossEntropyFromLogits(logits, frames.slice([[1, how.steps]]));
    },
    { communicator, weight: (frames) => frames.shape[1]! },
  );
  const optimizer = nn.chain({
    clip: nn.clipByGlobalNorm(1),
    adam: nn.adam({ learningRate: nn.cosineDecay({ initial: rate, steps: updates }) }),
  });
  let state = optimizer.init(params);
  const random = nn.rng(seed, "sequences");
  for (let update = 0; update < updates; update++) {
    let loss = Number.NaN;
    [params, state] = scope(() => {
      // It sees all frames at first, and after 3/5 of the training no more than it will see.
      const unseen = Math.min(ahead - 1, Math.floor((ahead * update) / (0.6 * updates)));
      // Every rank draws for all, so that nothing depends on the number of ranks.
      const frames = shard(bouncing(random, images, rows, how), communicator, 1);
      const [value, gradients] = lossOf(params, frames, how.steps - 1 - unseen);
      loss = value;
      const [steps, next] = optimizer.update(gradients, state, params);
      return [nn.applyUpdates(params, steps), next];
    });
    const goesOn = see(loss);
    await setImmediate();
    if (!isSo(communicator, () => goesOn)) break;
  }
  return params;
}
