// Two ways to train on several workers, at equal characters: gradients added up in every window, or
// updates of each worker's own that are averaged now and then. What each costs in bytes, and what
// its model is worth on the part of the book that it never saw.
//   npm run parallel:local -- --workers 2,4 --updates 0,100 --outer 0.7:0.5,1:0 --seeds 1,2,3
import { parseArgs } from "node:util";
import { isMainThread } from "node:worker_threads";
import { type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  crossEntropy,
  embedding,
  linear,
  linearWarmup,
  rng,
  sgd,
} from "@chronograd/nn";
import { mpi, runWorkers } from "@chronograd/nn/node";
import {
  createCommunicator,
  localUpdates,
  SharedMemory,
  shardRows,
  sharedBuffer,
} from "@chronograd/nn/parallel";
import { initialParams, lstm, sequential, type TimeStep, truncated } from "@chronograd/rnn";
import { corpusOf, corpusTask, loadCorpus } from "chronograd/text";
import { counted } from "./counted.ts";

export interface Options {
  /** What the workers of this run exchange messages through. */
  readonly buffer: SharedArrayBuffer;
  /** Updates between two averages; 0 for sums of gradients in every window. */
  readonly updates: number;
  readonly windows: number;
  readonly seed: number;
  readonly hidden: number;
  /** Rows of all workers together. */
  readonly batch: number;
  readonly rate: number;
  /** The outer optimizer's. */
  readonly outer: { readonly learningRate: number; readonly momentum: number };
  /** A text in place of the book. */
  readonly text?: string;
}

export interface Outcome {
  /** Nats per character on the part that is held out. */
  readonly loss: number;
  /** What one worker sends to the others. */
  readonly bytes: number;
  /** Exchanges that a worker waits in. */
  readonly exchanges: number;
}

const k = 50;

/** Characters at some of `batch` places of a text, without end. */
function* reading(codes: Int32Array, batch: number, start: number, end: number) {
  const length = Math.floor(codes.length / batch);
  const rows = Array.from({ length: end - start }, (_, i) => (start + i) * length);
  const at = (t: number) =>
    tensor(Int32Array.from(rows, (row) => codes[(row + t) % codes.length]!));
  for (let t = 0; ; t++) yield { input: at(t), target: at(t + 1) } satisfies TimeStep;
}

/** What each worker does. */
export default function train({ rank, size }: Communicator, options: Options): Outcome {
  const { buffer, updates, windows, seed, hidden, batch, rate, outer, text } = options;
  const transport = counted(new SharedMemory(buffer, rank));
  const communicator = createCommunicator(transport);
  const corpus = text === undefined ? loadCorpus(undefined, batch) : corpusOf("Text", text, batch);
  const symbols = corpus.characters.length;
  const model = sequential({
    embedding: embedding({ input: symbols, output: hidden >> 1 }),
    memory: lstm({ input: hidden >> 1, hidden }),
    head: linear({ input: hidden, output: symbols }),
  });
  const warmup = Math.min(100, Math.ceil(windows / 10));
  const decay = cosineDecay({ initial: rate, steps: windows - warmup });
  const optimizer = chain({
    clip: clipByGlobalNorm(1),
    adam: adam({ learningRate: linearWarmup({ steps: warmup, to: decay }) }),
  });
  // The same weights on every worker.
  let params = initialParams(model, rng(seed));
  let state = optimizer.init(params);
  const isLocal = updates > 0;
  const { momentum } = outer;
  const local = localUpdates({
    communicator,
    updates: Math.max(1, updates),
    optimizer: sgd({ ...outer, nesterov: momentum > 0 }),
  });
  let common = local.init(params);
  const { start, end } = shardRows(batch, { rank, size });
  const stream = truncated(model, params, reading(corpus.training, batch, start, end), {
    k1: k,
    k2: k,
    compile: true,
    reduction: "mean",
    loss: (logits: Tensor, target: Tensor) => crossEntropy(logits, target, { reduction: "none" }),
    ...(!isLocal && { communicator }),
  });
  for (const window of stream) {
    const [moved, next] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, moved);
    state = next;
    if (isLocal) [params, common] = local.update(params, common);
    if (window.index + 1 === windows) break;
  }
  const task = corpusTask(corpus, { batch, temperature: 1 });
  const trained = { model, params } as unknown as Parameters<typeof task.evaluate>[0];
  const loss = rank === 0 ? task.evaluate(trained).loss! : Number.NaN;
  return { loss, bytes: transport.bytes, exchanges: transport.exchanges };
}

/** One run on some workers. */
export async function run(workers: number, options: Omit<Options, "buffer">): Promise<Outcome> {
  const input: Options = { ...options, buffer: sharedBuffer(workers) };
  const module = new URL(import.meta.url);
  const [first] = await runWorkers<Outcome, Options>(module, { workers, input });
  return first!;
}

if (isMainThread && import.meta.main) {
  if (mpi().size > 1) {
    throw new Error(
      "parallel:local compares workers that it starts itself, and counts what they send; start it without mpiexec",
    );
  }
  const { values } = parseArgs({
    options: {
      workers: { type: "string", default: "2,4" },
      updates: { type: "string", default: "0,100" },
      seeds: { type: "string", default: "1,2,3" },
      windows: { type: "string", default: "6000" },
      hidden: { type: "string", default: "64" },
      batch: { type: "string", default: "32" },
      rate: { type: "string", default: "0.02" },
      // Learning rate and momentum of the outer optimizer.
      outer: { type: "string", default: "0.7:0.5,1:0" },
    },
  });
  const listed = (list: string) => list.split(",").map(Number);
  const [windows, hidden, batch, rate] = ["windows", "hidden", "batch", "rate"].map((name) =>
    Number(values[name as keyof typeof values]),
  );
  const outers = values.outer.split(",").map((pair) => {
    const [learningRate, momentum] = pair.split(":").map(Number);
    return { learningRate: learningRate!, momentum: momentum! };
  });
  /** Each number of updates with each outer optimizer; sums have none. */
  const modes = listed(values.updates).flatMap((updates) =>
    (updates === 0 ? outers.slice(0, 1) : outers).map((outer) => ({ updates, outer })),
  );
  for (const workers of listed(values.workers)) {
    for (const { updates, outer } of modes) {
      for (const seed of listed(values.seeds)) {
        const begin = performance.now();
        const sizes = { windows: windows!, hidden: hidden!, batch: batch!, rate: rate!, seed };
        const { loss, bytes, exchanges } = await run(workers, { ...sizes, updates, outer });
        const { learningRate, momentum } = outer;
        const mode =
          updates === 0
            ? "sums of gradients"
            : `${updates} local updates (outer rate ${learningRate}, momentum ${momentum})`;
        const seconds = (performance.now() - begin) / 1000;
        console.log(
          `${workers} workers, ${mode}, seed ${seed}: ${loss.toFixed(3)} nats per character held out, ${(bytes / 1e6).toFixed(2)} MB sent by each in ${exchanges} exchanges, ${seconds.toFixed(0)} s`,
        );
      }
    }
  }
}
