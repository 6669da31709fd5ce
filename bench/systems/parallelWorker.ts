import { compile, scope } from "@chronograd/autodiff";
import { applyUpdates, type Communicator } from "@chronograd/nn";
import { done, order, type Work } from "./control.ts";
import { classification } from "./minibatch.ts";
import { type Experiment, experiment } from "./train.ts";
import { makeOptimizer } from "./training.ts";

/** Steps on this worker's rows, one for each order. */
export default function work(communicator: Communicator, { request, control }: Work): void {
  if (request.kind === "minibatch") run(classification(request, communicator), false);
  else run(experiment(request, communicator), true);

  function run<P, Batch>(own: Experiment<P, Batch>, compiles: boolean): void {
    const { rank, size } = communicator;
    // Workers have the same number of rows, so the mean over all is the mean of their means.
    const recorded = (now: P, batch: Batch) => own.gradient(now, batch, 1 / size);
    const share = compiles ? compile(recorded) : recorded;
    const optimizer = makeOptimizer();
    let { params } = own;
    let state = optimizer.init(params);
    for (let i = 0; ; i++) {
      Atomics.wait(control.words, order, i);
      if (Atomics.load(control.words, order) < 0) return;
      communicator.barrier();
      const started = performance.now();
      [params, state] = scope(() => {
        const { loss, gradients } = communicator.allReduce(share(params, own.batch(i)));
        const [updates, next] = optimizer.update(gradients, state, params);
        if (rank === 0) control.said.set([0, loss.item(), next.clip.norm.item()]);
        return [applyUpdates(params, updates) as P, next] as const;
      });
      if (rank !== 0) continue;
      control.said[0] = performance.now() - started;
      Atomics.add(control.words, done, 1);
      Atomics.notify(control.words, done);
    }
  }
}
