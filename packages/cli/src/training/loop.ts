import { setImmediate } from "node:timers/promises";
import { applyUpdates, countParameters, rng, rngFrom } from "@chronograd/nn";
import { initialParams, type LiveWindow, type StepLoss, truncated } from "@chronograd/rnn";
import { RunError } from "../command/errors.ts";
import type { Io } from "../command/io.ts";
import type { PlainCell } from "../modules/loadCell.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Kept } from "../tasks/taskOf.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { heldOutLoss } from "./evaluate.ts";
import { type Metrics, Smoothed } from "./metrics.ts";
import { optimizerOf } from "./optimizer.ts";
import type { TrainOptions } from "./options.ts";
import { learningRate } from "./rate.ts";
import { Source } from "./source.ts";
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
  readonly resumed?: { readonly checkpoint: Checkpoint; readonly metrics: readonly Metrics[] };
}

/** What came of it. */
export interface Outcome {
  readonly trained: Trained;
  readonly metrics: readonly Metrics[];
  readonly parameters: number;
}

const estimateEverySeconds = 5;
const measureEveryWindows = 25;

/**
 * Trains until the time is over, the windows are done, the data end, or the user stops it. It logs
 * every window and saves a checkpoint every few seconds, at the start and at the end.
 */
export async function train(job: Job, io: Io): Promise<Outcome> {
  const { options, task, model, folder, resumed, end, windows: most } = job;
  const random = rng(options.seed);
  const noise =
    model.noise === undefined
      ? undefined
      : resumed?.checkpoint.noise
        ? rngFrom(resumed.checkpoint.noise)
        : random.split("noise");
  let params =
    resumed?.checkpoint.params ?? (initialParams(model, random.split("parameters")) as never);
  const metrics = [...(resumed?.metrics ?? [])];
  const before = resumed?.checkpoint.seconds ?? 0;
  const share = () => (most === undefined ? clock() / end! : metrics.length / most);
  let rate = 0;
  const optimizer = optimizerOf(options, () => rate);
  let state = resumed?.checkpoint.optimizer ?? optimizer.init(params);
  const live = resumed?.checkpoint.live ?? undefined;
  const smoothed = new Smoothed(0.98);
  for (const { loss } of metrics) smoothed.add(loss);

  const started = performance.now();
  let pauses = 0;
  const clock = () => before + (performance.now() - started - pauses) / 1000;
  let compile = resumed?.checkpoint.compile ?? false;
  let nextEstimate = before;
  let nextSave = before + options.save;
  const source = new Source(
    task.stream,
    resumed?.checkpoint.place ?? { items: 0, steps: 0 },
    live?.end ?? 0,
  );
  const save = async (last: LiveWindow | null, over = false): Promise<void> => {
    const from = performance.now();
    await folder.save({
      task: task.kept as unknown as Kept,
      digest: task.digest,
      seconds: clock(),
      windows: metrics.length,
      end: end ?? null,
      compile,
      params,
      optimizer: state,
      noise: noise?.getState() ?? null,
      live: last,
      place: source.placeAfter(last?.end ?? live?.end ?? 0),
      over,
    } satisfies Checkpoint);
    pauses += performance.now() - from;
    nextSave = clock() + options.save;
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
    ...(live && { resume: live }),
  });
  const progress = io.progress(
    most === undefined ? { total: end!, unit: "s" } : { total: most, unit: "windows" },
  );
  let windowStart = clock();
  let isLast = false;
  try {
    for (const window of stream) {
      rate = learningRate(options, { windows: metrics.length, share: share() });
      const [updates, next] = optimizer.update(window.gradients as never, state, params);
      params = applyUpdates(params, updates) as never;
      state = next;
      compile = window.entries === 0;
      const now = clock();
      const line: Metrics = {
        window: window.index,
        step: window.end,
        seconds: round(now, 3),
        loss: round(window.loss, 5),
        gradientNorm: round(next.clip.norm.item(), 6),
        learningRate: Number(rate.toPrecision(4)),
        tokensPerSecond: Math.round(window.count / (now - windowStart)),
        ...(window.stateGradientNorms && {
          stateGradientNorms: window.stateGradientNorms.map((norm) => Number(norm.toPrecision(4))),
        }),
        ...(task.estimate !== undefined &&
          now >= nextEstimate && { heldOutEstimate: round(estimate(), 5) }),
      };
      windowStart = clock();
      metrics.push(line);
      folder.log(line);
      const loss = smoothed.add(line.loss);
      progress.update(most === undefined ? now : metrics.length, facts(line, loss));
      if (line.heldOutEstimate !== undefined) nextEstimate = clock() + estimateEverySeconds;
      // Signals arrive only between turns of the event loop.
      await setImmediate();
      isLast =
        clock() >= (end ?? Infinity) || metrics.length >= (most ?? Infinity) || io.stopping();
      if (isLast || clock() >= nextSave) await save(window.live);
      if (isLast) break;
    }
  } catch (error) {
    throw sentence(error);
  } finally {
    progress.stop();
  }
  if (!isLast) await save(null, true);
  return { trained: { model, params, compile }, metrics, parameters: countParameters(params) };

  function estimate(): number {
    const from = performance.now();
    const { loss } = heldOutLoss({ model, params, compile }, task.estimate!, task.loss);
    pauses += performance.now() - from;
    return loss;
  }

  function facts(
    { gradientNorm, tokensPerSecond, heldOutEstimate }: Metrics,
    loss: number,
  ): string {
    const speed = `${tokensPerSecond.toLocaleString("en")} ${task.tokens}/s`;
    const parts = [`loss ${loss.toFixed(3)}`, `gradient ${gradientNorm.toFixed(3)}`, speed];
    if (heldOutEstimate !== undefined) {
      parts.push(`held-out estimate ${heldOutEstimate.toFixed(3)}`);
    }
    return parts.join(" | ");
  }
}

/** What the packages refuse is a sentence that begins with the name of a function. */
function sentence(error: unknown): unknown {
  const { name, message } = error as Error;
  if (name === "UsageError" || name === "RunError" || !/^\w+: /.test(message)) return error;
  const isDivergence = /\b(NaN|Infinity|not finite)\b/.test(message);
  return new RunError(
    isDivergence ? `${message}; the training diverged, a smaller --lr or --clip may help` : message,
  );
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
