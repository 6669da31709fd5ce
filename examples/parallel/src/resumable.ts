// A run on several cores that goes on where it was stopped: each worker has its own rows, its own
// noise and its own live window, and one file holds them all.
import { existsSync } from "node:fs";
import { type Tensor, tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, type Communicator, gather, rng, rngFrom } from "@chronograd/nn";
import { loadCheckpoint, saveCheckpoint } from "@chronograd/nn/node";
import { shardRows } from "@chronograd/nn/parallel";
import {
  gru,
  initialParams,
  type LiveWindow,
  type TimeStep,
  truncated,
  zoneout,
} from "@chronograd/rnn";

interface Options {
  readonly path: string;
  readonly windows: number;
}

const batch = 6;
const cell = zoneout(gru({ input: 1, hidden: 8 }), { rate: 0.1 });
const optimizer = adam({ learningRate: 0.01 });

/** Waves for some rows of the batch, from step `from` on. */
function* waves(start: number, end: number, from: number): Generator<TimeStep> {
  const rows = Array.from({ length: end - start }, (_, i) => start + i);
  const at = (t: number) => tensor(rows.map((row) => [Math.sin(t / (row + 2))]));
  for (let t = from; ; t++) yield { input: at(t), target: at(t + 1) };
}

/** A run before its first window; its parameters and optimizer are the same on all workers. */
function fresh(size: number) {
  const params = initialParams(cell, rng(1));
  const workers = Array.from({ length: size }, (_, rank) => ({
    noise: rng(1, `noise of worker ${rank}`).getState(),
    live: null as LiveWindow | null,
  }));
  return { params, optimizer: optimizer.init(params), workers };
}

/** Trains until `windows` are done, from where the file ends, if there is one. */
export default async function train(communicator: Communicator, { path, windows }: Options) {
  const { rank, size } = communicator;
  const model = { cell: "gru", workers: size };
  const run = existsSync(path)
    ? await loadCheckpoint<ReturnType<typeof fresh>>(path, { model })
    : fresh(size);
  let { params, optimizer: state } = run;
  const { live, noise: drawn } = run.workers[rank]!;
  const noise = rngFrom(drawn);
  const { start, end } = shardRows(batch, communicator);
  const stream = truncated(cell, params, waves(start, end, live?.end ?? 0), {
    k1: 5,
    k2: 12,
    reduction: "mean",
    loss: (h: Tensor, target: Tensor) => h.sub(target).square(),
    rng: noise,
    communicator,
    ...(live && { resume: live }),
  });
  const losses: number[] = [];
  for (const window of stream) {
    const [updates, next] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, updates);
    state = next;
    losses.push(window.loss);
    const isOver = window.index + 1 === windows;
    if (isOver || window.index % 10 === 9) {
      const workers = gather(communicator, { noise: noise.getState(), live: window.live });
      const tree = { params, optimizer: state, workers };
      if (rank === 0) await saveCheckpoint(path, tree, { model });
    }
    if (isOver) break;
  }
  return { losses, params };
}
