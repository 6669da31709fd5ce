import { setImmediate } from "node:timers/promises";
import { clone, scope, type Tensor, tree } from "@chronograd/autodiff";
import {
  type Communicator,
  countParameters,
  type Rng,
  rng,
  rngFrom,
  selfCommunicator,
} from "@chronograd/nn";
import {
  gatherLive,
  initialParams,
  type LiveWindow,
  type StepLoss,
  shardLive,
  truncated,
} from "@chronograd/rnn";
import { updateToWeightRatio } from "@chronograd/rnn/flow";
import { counted } from "../command/counted.ts";
import { RunError } from "../command/errors.ts";
import type { Io } from "../command/io.ts";
import type { PlainCell } from "../modules/loadCell.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Kept } from "../tasks/taskOf.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { heldOutLoss } from "./evaluate.ts";
import { type Metrics, metricsOf, Smoothed } from "./metrics.ts";
import { optimizerOf } from "./optimizer.ts";
import type { TrainOptions } from "./options.ts";
import { decided } from "./ranks.ts";
import { learningRate } from "./rate.ts";
import { sentence } from "./sentence.ts";
import { Source } from "./source.ts";
import { Stopwatch } from "./stopwatch.ts";
import type { Task, Trained } from "./task.ts";

/** What is trained, where to, and from where on. */
export interface Job {
  readonly options: TrainOptions;
  readonly task: Task;
  readonly model: PlainCell;
  readonly folder: Pick<RunFolder, "log" | "save">;
  /** Seconds, or windows, after which the training is over. */
  readonly end: number | undefined;
  readonly windows: number | undefined;
  /**
   * The ranks that share the rows; the first one decides and saves. This process alone unless
   * given.
   */
  readonly communicator?: Communicator;
  readonly resumed?: { readonly checkpoint: Checkpoint; readonly metrics: readonly Metrics[] };
}

/** What came of it. */
export interface Outcome {
  readonly trained: Trained;
  readonly metrics: readonly Metrics[];
  /** Since the run began, as are time steps and seconds. */
  readonly windows: number;
  readonly steps: number;
  readonly seconds: number;
  readonly parameters: number;
}

const estimateEverySeconds = 5;
/** Windows whose norms are measured; with or without --flow the same, so that runs are too. */
const measureEveryWindows = 25;
const compareEveryWindows = 5;

/**
 * Trains until the time is over, the windows are done, the data end, or the user stops it. It logs
 * every window and saves a checkpoint every few seconds, at the start and at the end.
 *
 * Throws a `RunError` where a loss or a gradient is not finite, with the step and the op.
 *
 * @example
 * ```ts
 * import { corpusOf, corpusTask } from "chronograd/text";
 * import { modelOf, train, trainOptions } from "chronograd/training";
 *
 * const corpus = corpusOf("Banana", "banana".repeat(40), 4);
 * const task = corpusTask(corpus, { batch: 4, temperature: 1 });
 * const given = { cell: "gru", batch: 4, k1: 6, k2: 6, lr: 0.1, warmup: 1 };
 * const options = { ...trainOptions.parse(given), hidden: 8 };
 * const job = {
 *   ...{ options, task, model: await modelOf(options, task.interface) },
 *   ...{ windows: 60, end: undefined },
 *   // Where lines of metrics and checkpoints go; a run folder has both.
 *   folder: { log: () => {}, save: async () => {} },
 * };
 * const io = {
 *   ...{ say: () => {}, result: () => {}, stopping: () => false, color: false },
 *   progress: () => ({ update: () => {}, stop: () => {} }),
 * };
 * const { trained, metrics } = await train(job, io);
 * metrics.length; // => 60
 * task.evaluate(trained).loss! < Math.log(3) / 2; // => true
 * ```
 */
export async function train(job: Job, io: Io): Promise<Outcome> {
  const { options, task, model, folder, resumed, end, windows: most } = job;
  const { communicator = selfCommunicator } = job;
  checkNoise(model, communicator);
  const { checkpoint } = resumed ?? {};
  const random = rng(options.seed);
  const noise = noiseOf(model, random, checkpoint);
  let params = checkpoint?.params ?? (initialParams(model, random.split("parameters")) as never);
  const optimizer = optimizerOf<typeof params>(options);
  let state = checkpoint?.optimizer ?? optimizer.init(params);
  const live = checkpoint?.live ?? undefined;
  const metrics = [...(resumed?.metrics ?? [])];
  const smoothed = new Smoothed(0.98);
  for (const { loss } of metrics) smoothed.add(loss);

  const watch = new Stopwatch(checkpoint?.seconds ?? 0);
  let windows = checkpoint?.windows ?? 0;
  let steps = live?.end ?? 0;
  /** Clocks differ between ranks. */
  const isDone = () => watch.seconds >= (end ?? Infinity) || windows >= (most ?? Infinity);
  /** The share of the training that is done. */
  const share = () => (most === undefined ? watch.seconds / end! : windows / most);
  let nextEstimate = watch.seconds;
  let lastEstimate: number | undefined;
  let nextSave = watch.seconds + options.save;

  const source = new Source(
    task.stream,
    checkpoint?.place ?? { items: 0, steps: 0 },
    steps,
    communicator,
  );
  const save = async (own: LiveWindow | null, over = false): Promise<void> => {
    const last = own && communicator.size > 1 ? gatherLive(communicator, own) : own;
    const tree: Checkpoint = {
      task: task.kept as unknown as Kept,
      digest: task.digest,
      seconds: watch.seconds,
      windows,
      end: end ?? null,
      params,
      optimizer: state,
      noise: noise?.getState() ?? null,
      live: last,
      place: source.placeAfter(steps),
      over,
    };
    await watch.pause(() => folder.save({ ...tree }));
    nextSave = watch.seconds + options.save;
  };
  if (resumed === undefined) await save(null);

  const stream = truncated(model, params, source, {
    compile: true,
    k1: options.k1,
    k2: options.k2,
    reduction: "mean",
    loss: task.loss as StepLoss<unknown, unknown>,
    measure: (window) => window % measureEveryWindows === 0,
    ...(noise && { rng: noise }),
    ...(live && { resume: communicator.size > 1 ? shardLive(live, communicator) : live }),
    communicator,
  });
  const progress = io.progress(
    most === undefined ? { total: end!, unit: "s" } : { total: most, unit: "windows" },
  );
  let isLast = decided(communicator, Number(resumed !== undefined && isDone())) === 1;
  let before = watch.seconds;
  try {
    for (const window of isLast ? [] : stream) {
      const rate = learningRate(options, {
        windows,
        share: decided(communicator, share()),
      });
      const isCompared = options.flow && window.index % compareEveryWindows === 0;
      const earlier = isCompared ? copied(params) : undefined;
      [params, state] = optimizer.update(window.gradients, state, params, rate);
      const updateToWeight = earlier === undefined ? undefined : ratioOf(earlier, params);
      const { seconds } = watch;
      const estimate =
        task.estimate !== undefined && communicator.rank === 0 && seconds >= nextEstimate
          ? await watch.pause(() => heldOutLoss({ model, params }, task.estimate!, task.loss).loss)
          : undefined;
      const line = metricsOf(window, {
        seconds,
        gradientNorm: state.clip.norm.item(),
        learningRate: rate,
        tokensPerSecond: window.count / (seconds - before),
        estimate,
        updateToWeight,
      });
      before = watch.seconds;
      if (estimate !== undefined) {
        lastEstimate = estimate;
        nextEstimate = before + estimateEverySeconds;
      }
      metrics.push(line);
      windows++;
      steps = line.step;
      folder.log(line);
      const done = most === undefined ? seconds : windows;
      progress.update(done, facts(line, smoothed.add(line.loss), lastEstimate, task.tokens));
      // Signals arrive only between turns of the event loop.
      await setImmediate();
      const turn = {
        ends: Number(isDone() || io.stopping()),
        saves: Number(watch.seconds >= nextSave),
      };
      const { ends, saves } = decided(communicator, turn);
      isLast = ends === 1;
      if (isLast || saves === 1) await save(window.live);
      if (isLast) break;
    }
  } catch (error) {
    throw told(error, source.nonFinite && `${task.title}: ${source.nonFinite}`);
  } finally {
    progress.stop();
  }
  if (!isLast) {
    await save(null, true);
    io.say(`The data ended after ${counted(windows, "window")}.`);
  }
  const { seconds } = watch;
  const parameters = countParameters(params);
  return { trained: { model, params }, metrics, windows, steps, seconds, parameters };
}

/** Throws a `RunError` where several ranks would draw noise, which no checkpoint holds for all. */
function checkNoise(model: PlainCell, { size }: Communicator): void {
  const draws = (value: unknown): value is object => typeof Object(value).draw === "function";
  if (size === 1 || tree.leavesWithPath<object>(model.noise, draws).length === 0) return;
  throw new RunError(
    `--cell: the cell draws noise, and its rows cannot be shared by ${size} ranks; start it without mpiexec`,
  );
}

/** The generator of what a model draws; none where it draws nothing. */
function noiseOf(model: PlainCell, random: Rng, earlier?: Checkpoint): Rng | undefined {
  if (model.noise === undefined) return undefined;
  return earlier?.noise ? rngFrom(earlier.noise) : random.split("noise");
}

/** Parameters that the next update does not consume. */
const copied = (params: unknown): unknown => tree.map(params, (x: Tensor) => clone(x));

/** The size of an update beside that of the weights; 0 where all weights are 0. */
function ratioOf(earlier: unknown, params: unknown): number {
  return scope(() => {
    const weights = tree.leaves(earlier);
    const differences = tree.leaves(params).map((x, i) => x.sub(weights[i]!));
    return updateToWeightRatio(differences, weights).total ?? 0;
  });
}

function facts(
  { gradientNorm, tokensPerSecond }: Metrics,
  loss: number,
  estimate: number | undefined,
  tokens: string,
): string {
  const parts = [
    `loss ${loss.toFixed(3)}`,
    `gradient ${gradientNorm.toFixed(3)}`,
    `${tokensPerSecond.toLocaleString("en")} ${tokens}/s`,
  ];
  if (estimate !== undefined) parts.push(`held-out estimate ${estimate.toFixed(3)}`);
  return parts.join(" | ");
}

/** An error as the user is told it: where the loss is not finite, with what it may come from. */
function told(error: unknown, odd: string | undefined): unknown {
  const found = sentence(error);
  if (!(found instanceof RunError)) return found;
  if (!/\b(NaN|Infinity|not finite)\b/.test(found.message)) return found;
  return new RunError(
    odd === undefined
      ? `${found.message}; where all inputs are finite, the training diverged: a smaller --lr or --clip may help`
      : `${odd}; leave that item out, or mask it (${found.message})`,
  );
}
