import { setImmediate } from "node:timers/promises";
import { type Communicator, countParameters, rng, selfCommunicator } from "@chronograd/nn";
import { initialParams, type LiveWindow, type StepLoss, truncated } from "@chronograd/rnn";
import { counted } from "../command/counted.ts";
import type { Io } from "../command/io.ts";
import type { PlainCell } from "../modules/loadCell.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Kept } from "../tasks/taskOf.ts";
import { Averages } from "./averages.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { heldOutLoss } from "./evaluate.ts";
import { type Metrics, metricsOf, Smoothed } from "./metrics.ts";
import { draws, noiseOf } from "./noise.ts";
import { optimizerOf } from "./optimizer.ts";
import type { TrainOptions } from "./options.ts";
import { beginningOf, liveOfAll, partsOfAll } from "./parts.ts";
import { decided } from "./ranks.ts";
import { learningRate } from "./rate.ts";
import { Source } from "./source.ts";
import { Stopwatch } from "./stopwatch.ts";
import { Tally } from "./tally.ts";
import type { Task, Trained } from "./task.ts";
import { threadsLine } from "./threadsLine.ts";
import { told } from "./told.ts";
import { copied, updateSize } from "./updateSize.ts";

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
  const { localUpdates: every = 1, threads, shards } = options;
  const isLocal = options.localUpdates !== undefined;
  /** The ranks whose rows make a window. */
  const sharing = isLocal ? selfCommunicator : communicator;
  const { checkpoint } = resumed ?? {};
  const random = rng(options.seed);
  const beginning = beginningOf(checkpoint, communicator);
  const { live } = beginning;
  let windows = checkpoint?.windows ?? 0;
  const noise = noiseOf(model, { random, communicator, windows, earlier: beginning.noise });
  let params = checkpoint?.params ?? (initialParams(model, random.split("parameters")) as never);
  const optimizer = optimizerOf<typeof params>(options);
  let state = beginning.optimizer ?? optimizer.init(params);
  const averages = isLocal
    ? new Averages(options, communicator, params, checkpoint?.outer)
    : undefined;
  const metrics = [...(resumed?.metrics ?? [])];
  const smoothed = new Smoothed(0.98);
  for (const { loss } of metrics) smoothed.add(loss);

  const watch = new Stopwatch(checkpoint?.seconds ?? 0);
  /** Where the stream of windows begins anew. */
  const before = live === undefined ? { windows, steps: beginning.end } : { windows: 0, steps: 0 };
  let steps = live?.end ?? before.steps;
  /** Clocks differ between ranks. */
  const isDone = () => watch.seconds >= (end ?? Infinity) || windows >= (most ?? Infinity);
  /** The share of the training that is done. */
  const share = () => (most === undefined ? watch.seconds / end! : windows / most);
  /** Whether window `index` is one in `count` of those that are logged. */
  const isOneIn = (count: number, index: number) =>
    (index + 1) % every === 0 && ((index + 1) / every - 1) % Math.ceil(count / every) === 0;
  let nextEstimate = watch.seconds;
  let lastEstimate: number | undefined;
  let nextSave = watch.seconds + options.save;

  const source = new Source(
    task.stream,
    checkpoint?.place ?? { items: 0, steps: 0 },
    steps,
    communicator,
  );
  const isApart = isLocal || draws(model);
  const save = async (
    window: { readonly live: LiveWindow; readonly state: unknown } | null,
    over = false,
  ): Promise<void> => {
    const live = window?.live ?? null;
    const drawn = noise?.getState() ?? null;
    const ofRank = { optimizer: isLocal ? state : null, noise: drawn, live };
    const apart = isApart
      ? partsOfAll(communicator, { ...ofRank, state: window?.state ?? null }, steps)
      : undefined;
    const tree: Checkpoint = {
      task: task.kept as unknown as Kept,
      digest: task.digest,
      seconds: watch.seconds,
      windows,
      end: end ?? null,
      params,
      optimizer: state,
      noise: drawn,
      live: isApart ? live : liveOfAll(communicator, live),
      place: source.placeAfter(steps),
      over,
      ...(apart && { apart }),
      ...(averages && { outer: averages.outer }),
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
    measure: (window) => isOneIn(measureEveryWindows, before.windows + window),
    threads,
    ...(shards && { shards: (shards / (isLocal ? communicator.size : 1)) as typeof shards }),
    ...(noise && { rng: noise }),
    ...(live && { resume: live }),
    ...(beginning.state !== null && { state: beginning.state }),
    communicator: sharing,
  });
  const progress = io.progress(
    most === undefined ? { total: end!, unit: "s" } : { total: most, unit: "windows" },
  );
  const tally = new Tally();
  let shown = "";
  let lastLine = watch.seconds;
  /** Logs what was tallied; all ranks are here, and have the same parameters. */
  const log = async (rate: number, updateToWeight?: number): Promise<void> => {
    const { count, ...means } = tally.take(isLocal ? communicator : selfCommunicator);
    const { seconds } = watch;
    const estimate =
      task.estimate !== undefined && communicator.rank === 0 && seconds >= nextEstimate
        ? await watch.pause(() => heldOutLoss({ model, params }, task.estimate!, task.loss).loss)
        : undefined;
    const line = metricsOf(
      { window: windows - 1, step: steps, ...means },
      {
        seconds,
        learningRate: rate,
        tokensPerSecond: count / (seconds - lastLine),
        estimate,
        updateToWeight,
      },
    );
    lastLine = watch.seconds;
    if (estimate !== undefined) {
      lastEstimate = estimate;
      nextEstimate = lastLine + estimateEverySeconds;
    }
    metrics.push(line);
    folder.log(line);
    shown = facts(line, smoothed.add(line.loss), lastEstimate, task.tokens);
  };
  let lastSaid: string | undefined;
  /** Says what runs, where that is not known yet. */
  const sayThreads = (explained: string): void => {
    const line = threadsLine(explained, { threads, ranks: communicator.size });
    if (line !== undefined && line !== lastSaid) io.say(line);
    lastSaid = line;
  };
  let isFirst = true;
  let isLast = decided(communicator, Number(resumed !== undefined && isDone())) === 1;
  let rate = 0;
  try {
    for (const window of isLast ? [] : stream) {
      if (isFirst) sayThreads(window.explain());
      isFirst = false;
      rate = learningRate(options, { windows, share: decided(sharing, share()) });
      const isCompared = options.flow && isOneIn(compareEveryWindows, windows);
      const earlier = isCompared ? copied(params) : undefined;
      [params, state] = optimizer.update(window.gradients, state, params, rate);
      const size = earlier === undefined ? undefined : updateSize(earlier, params);
      tally.add(window, state.clip.norm.item());
      params = averages?.update(params) ?? params;
      windows++;
      steps = before.steps + window.end;
      const isTogether = windows % every === 0;
      if (isTogether) await log(rate, size);
      progress.update(most === undefined ? watch.seconds : windows, shown);
      // Signals arrive only between turns of the event loop.
      await setImmediate();
      if (!isTogether) continue;
      const turn = decided(communicator, {
        ends: Number(isDone() || io.stopping()),
        saves: Number(watch.seconds >= nextSave),
        seconds: watch.seconds,
      });
      if (communicator.rank > 0) watch.follow(turn.seconds);
      isLast = turn.ends === 1;
      if (isLast || turn.saves === 1) await save(window);
      if (!isLast) continue;
      sayThreads(window.explain());
      break;
    }
    if (!isLast && averages !== undefined && windows % every !== 0) {
      params = averages.finish(params);
      await log(rate);
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
