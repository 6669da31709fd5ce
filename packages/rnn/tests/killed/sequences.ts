// A process that trains from where a checkpoint ends, and saves after every window:
//   node sequences.ts PATH STALE COMPILE WORKERS
import { existsSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  gather,
  rng,
  rngFrom,
  selfCommunicator,
} from "@chronograd/nn";
import { loadCheckpoint, runWorkers, saveCheckpoint } from "@chronograd/nn/node";
import { shardRows } from "@chronograd/nn/parallel";
import {
  initialParams,
  type LiveWindow,
  lstm,
  type TimeStep,
  type TruncatedOptions,
  truncated,
  zoneout,
} from "../../src/index.ts";

export interface Given {
  readonly path: string;
  readonly stale: "carry" | "recompute" | "defer";
  readonly compile: boolean;
  readonly workers: number;
}

const cell = zoneout(lstm({ input: 1, hidden: 3 }), { rate: 0.2 });
const optimizer = adam({ learningRate: 0.02 });
const [rows, steps] = [3, 32];

/** Some rows of a sequence, from step `from` on. */
function* sequence(
  epoch: number,
  { start, end }: { start: number; end: number },
  from: number,
): Generator<TimeStep> {
  const at = (t: number) =>
    tensor(Array.from({ length: end - start }, (_, i) => [Math.sin(t / (start + i + 2) + epoch)]));
  for (let t = from; t < steps; t++) yield { input: at(t), target: at(t + 1) };
}

function fresh(workers: number) {
  const params = initialParams(cell, rng(1));
  return {
    params,
    optimizer: optimizer.init(params),
    epoch: 0,
    losses: [] as number[],
    workers: Array.from({ length: workers }, (_, rank) => ({
      noise: rng(1, `noise of worker ${rank}`).getState(),
      live: null as LiveWindow | null,
    })),
  };
}

export default async function work(
  communicator: Communicator,
  { path, stale, compile }: Given,
): Promise<void> {
  const { rank, size } = communicator;
  const model = { stale, compile, workers: size };
  const run: ReturnType<typeof fresh> = existsSync(path)
    ? await loadCheckpoint(path, { model })
    : fresh(size);
  let { params, optimizer: state } = run;
  const { losses } = run;
  let { live } = run.workers[rank]!;
  const noise = rngFrom(run.workers[rank]!.noise);
  const epochs = stale === "defer" ? 20 : 3;
  for (let { epoch } = run; epoch < epochs; epoch++) {
    const options = {
      k1: 3,
      k2: 8,
      stale,
      compile,
      communicator,
      rng: noise,
      loss: (h: Tensor, target: Tensor) => h.sub(target).square().sum(-1),
      ...(live && { resume: live }),
    } as TruncatedOptions<(typeof cell)["state"]>;
    const source = sequence(epoch, shardRows(rows, communicator), live?.end ?? 0);
    for (const window of truncated(cell, params, source, options)) {
      const [updates, next] = optimizer.update(window.gradients, state, params);
      params = applyUpdates(params, updates);
      state = next;
      losses.push(...window.losses);
      const workers = gather(communicator, { noise: noise.getState(), live: window.live });
      const tree = { params, optimizer: state, epoch, losses, workers };
      if (rank === 0) await saveCheckpoint(path, tree, { model });
    }
    live = null;
  }
}

/** Trains to the end, from where the file ends. */
export async function train(given: Given): Promise<void> {
  const { workers } = given;
  if (workers === 1) await work(selfCommunicator, given);
  else await runWorkers(new URL(import.meta.url), { workers, input: given });
}

if (isMainThread && import.meta.main) {
  const [path = "", stale, compile, workers] = process.argv.slice(2);
  process.stdout.write("begins\n");
  await train({
    path,
    stale: stale as Given["stale"],
    compile: compile === "true",
    workers: Number(workers),
  });
}
