import { setImmediate } from "node:timers/promises";
import { scope, type Tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  oneCycle,
  type Rng,
  rng,
} from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { distributedValueAndGrad, shardList } from "@chronograd/nn/parallel";
import { type Io, RunError } from "chronograd/command";
import type { RunFolder } from "chronograd/run";
import { isSo, streamOfRows } from "../../ranks.ts";
import type { Example, Network, Params } from "./model.ts";

/** How a network is trained. */
export interface Training {
  /** What is learnt, for `metrics.jsonl`. */
  readonly what: string;
  readonly seed: number;
  readonly epochs: number;
  readonly size: number;
  /** The highest learning rate. */
  readonly peak: number;
  /** The examples of an epoch, with the draws of a generator; the same on every rank. */
  examples(random: Rng): readonly Example[];
  loss(net: Network, params: Params, some: readonly Example[], random: Rng): Tensor;
}

/** Where a training shows its progress, and where it writes it down. */
export interface Surroundings {
  readonly io: Io;
  /** Of the first rank. */
  readonly folder: Pick<RunFolder, "log"> | undefined;
  /** The ranks that share each batch. */
  readonly communicator: Communicator;
}

/** Seconds that this process has computed. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Trains by Adam along one cycle of learning rates, and shows the progress. */
export async function trained(
  net: Network,
  { what, seed, epochs, size, peak, examples, loss }: Training,
  { io, folder, communicator }: Surroundings,
): Promise<Params> {
  const draws = rng(seed, "examples");
  const order = rng(seed, "order");
  const dropout = streamOfRows(seed, "dropout", communicator);
  const lossOf = distributedValueAndGrad(
    (p: Params, some: readonly Example[]) => loss(net, p, some, dropout),
    { communicator, weight: (some) => some.length },
  );
  let params = net.params(seed);
  let epoch = examples(draws);
  const steps = epochs * Math.ceil(epoch.length / size);
  const optimizer = chain({
    clip: clipByGlobalNorm(1),
    adam: adam({ learningRate: oneCycle({ peak, steps }) }),
  });
  let state = optimizer.init(params);
  const progress = io.progress({ total: epochs, unit: "epochs" });
  const length = ({ steps }: Example) => steps.length;
  for (let done = 1; done <= epochs; done++) {
    let sum = 0;
    for (const some of batches(epoch, { size, rng: order, length })) {
      // Lets a signal come through.
      await setImmediate();
      if (isSo(communicator, io.stopping)) {
        throw new RunError("stopped before the end; nothing is saved");
      }
      [params, state] = scope(() => {
        const [value, gradients] = lossOf(params, shardList(some, communicator));
        sum += value * some.length;
        const [updates, next] = optimizer.update(gradients, state, params);
        return [applyUpdates(params, updates), next];
      });
    }
    const mean = sum / epoch.length;
    progress.update(done, `loss ${mean.toFixed(3)}`);
    folder?.log({ what, epoch: done, loss: mean });
    if (done < epochs) epoch = examples(draws);
  }
  progress.stop();
  return params;
}
