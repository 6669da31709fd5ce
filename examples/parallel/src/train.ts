// One training run on several cores: an LSTM learns to repeat what it saw three steps ago.
//   npm run parallel -- --workers 2                          threads of one process
//   mpiexec -n 2 node examples/parallel/src/train.ts         processes, on one machine or several
import { parseArgs } from "node:util";
import { isMainThread } from "node:worker_threads";
import { type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  linear,
  rng,
} from "@chronograd/nn";
import { mpi, runWorkers } from "@chronograd/nn/node";
import { shardRows } from "@chronograd/nn/parallel";
import { initialParams, lstm, sequential, type TimeStep, truncated } from "@chronograd/rnn";

interface Options {
  /** Rows of the whole batch, whatever the number of workers. */
  readonly batch: number;
  readonly windows: number;
}

const delay = 3;
const k1 = 10;

/**
 * Endless noise for some rows of the batch. The numbers of a row do not depend on the worker that
 * draws them.
 */
function* noise(start: number, end: number): Generator<TimeStep> {
  const rows = Array.from({ length: end - start }, (_, i) => rng(7, `row ${start + i}`));
  const seen: Float32Array[] = [];
  for (;;) {
    const now = Float32Array.from(rows, (row) => row.normal());
    seen.push(now);
    const before = seen.length > delay ? seen.shift()! : new Float32Array(now.length);
    const column = (values: Float32Array) => tensor(values, { shape: [values.length, 1] });
    yield { input: column(now), target: column(before) };
  }
}

/** What each worker does on its rows; it is the same with one worker or several. */
export default function train(communicator: Communicator, { batch, windows }: Options): number {
  const model = sequential({
    memory: lstm({ input: 1, hidden: 128 }),
    readout: linear({ input: 128, output: 1 }),
  });
  // The same seed on every worker, so all begin with the same weights, and they stay the same.
  let params = initialParams(model, rng(1));
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 0.005 }) });
  let state = optimizer.init(params);
  const { start, end } = shardRows(batch, communicator);
  let loss = Number.NaN;
  const options = {
    k1,
    k2: 20,
    compile: true,
    reduction: "mean",
    loss: (y: Tensor, target: Tensor) => y.sub(target).square(),
    communicator,
  } as const;
  for (const window of truncated(model, params, noise(start, end), options)) {
    const [updates, next] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, updates);
    state = next;
    loss = window.loss;
    const isOver = window.index + 1 === windows;
    if (communicator.rank === 0 && (isOver || window.index % 50 === 0)) {
      console.log(`step ${window.end}: loss ${loss.toFixed(4)} over ${window.count} tokens`);
    }
    // The condition is the same on all workers, because they must stop at the same window.
    if (isOver) break;
  }
  return loss;
}

if (isMainThread && import.meta.main) {
  const { values } = parseArgs({
    options: {
      workers: { type: "string", default: "2" },
      batch: { type: "string", default: "64" },
      windows: { type: "string", default: "300" },
    },
  });
  const workers = Number(values.workers);
  const input: Options = { batch: Number(values.batch), windows: Number(values.windows) };
  const begin = performance.now();
  const communicator = mpi();
  // Under mpiexec each process is a worker; alone, this one starts threads.
  const losses =
    communicator.size > 1
      ? [train(communicator, input)]
      : await runWorkers<number, Options>(new URL(import.meta.url), { workers, input });
  const seconds = (performance.now() - begin) / 1000;
  if (communicator.rank === 0) {
    console.log(
      `${communicator.size > 1 ? communicator.size : workers} workers, ${seconds.toFixed(1)} s; every one ends at ${losses.join(", ")}`,
    );
  }
}
