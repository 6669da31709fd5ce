import { compile, scope, type Tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, type Communicator, chain, clipByGlobalNorm } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { adamEpsilon, clipNorm, learningRate } from "../problem.ts";
import { done, order, type Work } from "./control.ts";
import { experiment, type Params } from "./train.ts";

/** Steps on this worker's rows, one for each order. */
export default function work(communicator: Communicator, { request, control }: Work): void {
  const { rank, size } = communicator;
  const { params: initial, batch, gradient } = experiment(request);
  // Workers have the same number of rows, so the mean over all is the mean of their means.
  const share = compile((now: Params, x: Tensor, target: Tensor) =>
    gradient(now, x, target, 1 / size),
  );
  const optimizer = chain({
    clip: clipByGlobalNorm(clipNorm),
    adam: adam({ learningRate, epsilon: adamEpsilon }),
  });
  let params = initial;
  let state = optimizer.init(params);
  for (let i = 0; ; i++) {
    Atomics.wait(control.words, order, i);
    if (Atomics.load(control.words, order) < 0) return;
    communicator.barrier();
    const started = performance.now();
    [params, state] = scope(() => {
      const rows = shard(batch(i), communicator, 1);
      const { loss, gradients } = communicator.allReduce(share(params, ...rows));
      const [updates, next] = optimizer.update(gradients, state, params);
      if (rank === 0) control.said.set([0, loss.item(), next.clip.norm.item()]);
      return [applyUpdates(params, updates), next] as const;
    });
    if (rank !== 0) continue;
    control.said[0] = performance.now() - started;
    Atomics.add(control.words, done, 1);
    Atomics.notify(control.words, done);
  }
}
