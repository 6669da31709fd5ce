// A training run that saves itself every few windows, and goes on from its file wherever it was
// killed: noise per step and per window, lanes as data, Adam, a plateau of the learning rate.
import { existsSync } from "node:fs";
import { type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  gather,
  linear,
  plateau,
  rng,
  rngFrom,
} from "@chronograd/nn";
import { loadCheckpoint, saveCheckpoint } from "@chronograd/nn/node";
import {
  gru,
  initialParams,
  type LaneSequence,
  type LanesState,
  type LiveWindow,
  lanes,
  sequential,
  type TruncationOptions,
  truncated,
  variationalDropout,
  zoneout,
} from "../../src/index.ts";

/** Which run it is. */
export interface Setting {
  readonly stale: NonNullable<TruncationOptions["stale"]>;
  readonly compile: boolean;
  readonly workers: number;
}

export interface Given extends Setting {
  readonly path: string;
  readonly windows: number;
  /** Told before the first window, and before each file is written. */
  readonly talks: boolean;
}

const cell = sequential({
  gru: variationalDropout(zoneout(gru({ input: 2, hidden: 4 }), { rate: 0.2 }), { rate: 0.25 }),
  head: linear({ input: 4, output: 1 }),
});
const cut = plateau({ factor: 0.7, patience: 1 });
const optimizer = chain({
  clip: clipByGlobalNorm(1),
  adam: adam({ learningRate: 0.02 }),
  cut,
});

/** Waves of 3 to 12 steps, from the given one on. */
function* waves(rank: number, first: number): Generator<LaneSequence> {
  for (let n = first; ; n++) {
    const random = rng(n, `waves of worker ${rank}`);
    const T = random.integer(3, 13);
    const values = (columns: number) =>
      tensor(
        Float32Array.from({ length: T * columns }, () => random.normal()),
        { shape: [T, columns] },
      );
    yield { inputs: values(2), targets: values(1) };
  }
}

interface OfWorker {
  readonly noise: unknown;
  readonly lanes: LanesState | null;
  readonly live: LiveWindow | null;
}

/** A run before its first window. */
function fresh(size: number) {
  const params = initialParams(cell, rng(1));
  const workers = Array.from({ length: size }, (_, rank): OfWorker => {
    return { noise: rng(1, `noise ${rank}`).getState(), lanes: null, live: null };
  });
  return { params, optimizer: optimizer.init(params), losses: [] as readonly number[], workers };
}

export type Saved = ReturnType<typeof fresh>;

/** Trains until `windows` are done, from where the file ends, if there is one. */
export default async function train(communicator: Communicator, given: Given): Promise<void> {
  const { rank, size } = communicator;
  const { path, windows, stale, compile, talks } = given;
  const say = (word: string) => talks && rank === 0 && process.stdout.write(`${word}\n`);
  const run = existsSync(path) ? await loadCheckpoint<Saved>(path) : fresh(size);
  let { params, optimizer: state } = run;
  const losses = [...run.losses];
  const own = run.workers[rank]!;
  const noise = rngFrom(own.noise as never);
  const { live } = own;
  if (losses.length >= windows) return;
  const data = lanes((first: number) => waves(rank, first), {
    rows: 3,
    ...(own.lanes && { state: own.lanes }),
  });
  const stream = truncated(cell, params, data, {
    ...{ k1: 4, k2: 10, stale, compile, reduction: "mean", rng: noise, communicator },
    loss: (y: Tensor, target: Tensor) => y.sub(target).square(),
    ...(live && { resume: live }),
  });
  say("begun");
  for (const window of stream) {
    const [updates, next] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, updates);
    state = { ...next, cut: cut.report(window.loss, next.cut) };
    losses.push(window.loss);
    const isOver = window.index + 1 === windows;
    if (isOver || window.index % 3 === 2) {
      const workers = gather<OfWorker>(communicator, {
        noise: noise.getState(),
        lanes: data.getState(),
        live: window.live,
      });
      say("saving");
      if (rank === 0) await saveCheckpoint(path, { params, optimizer: state, losses, workers });
    }
    if (isOver) return;
  }
}
