import { setImmediate } from "node:timers/promises";
import type { Tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  countParameters,
  crossEntropy,
  linearWarmup,
  rng,
} from "@chronograd/nn";
import { initialParams, type LiveWindow, truncated } from "@chronograd/rnn";
import { type Corpus, lanes } from "./corpus.ts";
import type { Run, RunFolder } from "./folder.ts";
import { bits, type Metrics, Smoothed } from "./metrics.ts";
import { characterModel, evaluate, type Params, sample } from "./model.ts";
import type { Options } from "./options.ts";
import type { Progress } from "./progress.ts";

/** Clipping, and Adam with a warm-up. */
function optimizerOf({ clip, lr }: Options) {
  return chain({
    clip: clipByGlobalNorm(clip),
    adam: adam({ learningRate: linearWarmup({ steps: 100, to: lr }) }),
  });
}

export type OptimizerState = ReturnType<ReturnType<typeof optimizerOf>["init"]>;

/** The result of a run. */
export interface Result {
  readonly metrics: readonly Metrics[];
  readonly heldOut: number;
  readonly sample: string;
  readonly parameters: number;
}

const evaluateEverySeconds = 5;
const measureEveryWindows = 25;
const heldOutRows = 64;

/**
 * Trains until the time is over, the windows are done, or `stop` says so. It logs every window and
 * saves a checkpoint every few seconds, at the start and at the end.
 */
export async function train(
  options: Options,
  corpus: Corpus,
  progress: Progress,
  folder: Pick<RunFolder, "log" | "save">,
  stop: () => boolean,
  resumed?: { run: Run; earlier: readonly Metrics[] },
): Promise<Result> {
  const model = characterModel(options, corpus.characters.length);
  const random = rng(options.seed);
  const optimizer = optimizerOf(options);
  let params = resumed?.run.params ?? initialParams(model, random.split("parameters"));
  let state = resumed?.run.optimizer ?? optimizer.init(params);
  const live = resumed?.run.live ?? undefined;
  const metrics = [...(resumed?.earlier ?? [])];
  const smoothed = new Smoothed(0.98);
  for (const { loss } of metrics) smoothed.add(loss);
  const before = resumed?.run.seconds ?? 0;
  const end = before + options.seconds;
  const started = performance.now();
  let pauses = 0;
  const clock = () => before + (performance.now() - started - pauses) / 1000;
  let nextEvaluation = before;
  let nextSave = before + options.save;

  const measured = (steps: number): number => {
    const from = performance.now();
    const loss = evaluate(model, params, corpus.heldOut, heldOutRows, steps);
    pauses += performance.now() - from;
    return loss;
  };
  const save = async (last: LiveWindow | undefined): Promise<void> => {
    const from = performance.now();
    const { characters, digest: text } = corpus;
    const { resume: _, name: __, ...kept } = options;
    await folder.save({
      options: given(kept),
      characters,
      text,
      seconds: clock(),
      params,
      optimizer: state,
      live: last ?? null,
    });
    pauses += performance.now() - from;
    nextSave = clock() + options.save;
  };
  if (resumed === undefined) await save(undefined);

  const windows = truncated(model, params, lanes(corpus.training, options.batch, live?.end), {
    compile: true,
    k1: options.k1,
    k2: options.k2,
    reduction: "mean",
    loss: (logits: Tensor, target: Tensor) => crossEntropy(logits, target, { reduction: "none" }),
    measure: (window) => window % measureEveryWindows === 0,
    ...(live && { resume: live }),
  });
  let windowStart = clock();
  for (const window of windows) {
    const [updates, next] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, updates) as Params;
    state = next;
    const now = clock();
    const line: Metrics = {
      window: window.index,
      step: window.end,
      seconds: round(now, 3),
      loss: round(window.loss, 5),
      bitsPerCharacter: round(bits(window.loss), 5),
      gradientNorm: round(next.clip.norm.item(), 6),
      charactersPerSecond: Math.round(window.count / (now - windowStart)),
      ...(window.stateGradientNorms && {
        stateGradientNorms: window.stateGradientNorms.map((norm) => Number(norm.toPrecision(4))),
      }),
      ...(now >= nextEvaluation && { heldOut: round(measured(100), 5) }),
    };
    windowStart = clock();
    metrics.push(line);
    folder.log(line);
    progress.update(line, smoothed.add(line.loss), end);
    if (line.heldOut !== undefined) {
      nextEvaluation = clock() + evaluateEverySeconds;
      const loss = line.heldOut;
      progress.say(
        `${now.toFixed(0).padStart(4)} s | held-out loss ${loss.toFixed(3)} nats (${bits(loss).toFixed(3)} bits) per character`,
      );
    }
    // Signals arrive only between turns of the event loop.
    await setImmediate();
    const isLast = clock() >= end || stop() || metrics.length >= (options.windows ?? Infinity);
    if (isLast || clock() >= nextSave) await save(window.live);
    if (isLast) break;
  }
  // Each end has a stream of its own to sample from, so that sampling changes no later draw.
  const text = sample(model, params, corpus.characters, random.split(`sample ${metrics.length}`), {
    length: 600,
    temperature: options.temperature,
  });
  return {
    metrics,
    heldOut: measured(400),
    sample: text,
    parameters: countParameters(params),
  };
}

/** Without what was left out: a checkpoint holds no undefined values. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
