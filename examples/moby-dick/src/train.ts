import { setImmediate } from "node:timers/promises";
import { clone, type Tensor, tree } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  countParameters,
  crossEntropy,
  linearWarmup,
  type Rng,
  type RngState,
  rng,
  rngFrom,
} from "@chronograd/nn";
import { type Decoded, restoreTree } from "@chronograd/nn/safetensors";
import { initialParams, initialState, truncated } from "@chronograd/rnn";
import { type Corpus, lanes } from "./corpus.ts";
import { bits, type Metrics, Smoothed } from "./metrics.ts";
import { characterModel, evaluate, type Params, type State, sample } from "./model.ts";
import { type Options, UsageError } from "./options.ts";
import type { Progress } from "./progress.ts";

/** Clipping, and Adam with a warm-up. */
function optimizerOf({ clip, lr }: Options) {
  return chain({
    clip: clipByGlobalNorm(clip),
    adam: adam({ learningRate: linearWarmup({ steps: 100, to: lr }) }),
  });
}

/** Everything that a checkpoint holds, and `restore` brings back. */
interface Training {
  /** Its tensors, in one tree. */
  tree: {
    params: Params;
    optimizer: ReturnType<ReturnType<typeof optimizerOf>["init"]>;
    state: State;
  };
  /** Time steps taken. */
  step: number;
  window: number;
  seconds: number;
}

/** The result of a run. */
export interface Result {
  readonly tensors: unknown;
  readonly metadata: Record<string, string>;
  readonly metrics: readonly Metrics[];
  readonly heldOut: number;
  readonly sample: string;
  readonly parameters: number;
}

const evaluateEverySeconds = 5;
const measureEveryWindows = 25;
const heldOutRows = 64;

/** Trains until the time is over or `stop` says so, logging every window. */
export async function train(
  options: Options,
  corpus: Corpus,
  progress: Progress,
  log: (metrics: Metrics) => void,
  stop: () => boolean,
  resumed?: { tensors: Decoded; earlier: readonly Metrics[] },
): Promise<Result> {
  const model = characterModel(options, corpus.characters.length);
  const random = rng(options.seed);
  const optimizer = optimizerOf(options);
  const params = initialParams(model, random.split("parameters"));
  const training: Training = {
    tree: {
      params,
      optimizer: optimizer.init(params),
      state: initialState(model, options.batch),
    },
    step: 0,
    window: 0,
    seconds: 0,
  };
  let sampling = random.split("sampling");
  if (resumed !== undefined) sampling = restore(training, resumed.tensors);
  const metrics = [...(resumed?.earlier ?? [])];
  const before = training.seconds;
  const end = before + options.seconds;
  const smoothed = new Smoothed(0.98);
  const started = performance.now();
  let evaluationTime = 0;
  let nextEvaluation = before;
  const clock = () => before + (performance.now() - started - evaluationTime) / 1000;

  const measured = (steps: number): number => {
    const from = performance.now();
    const loss = evaluate(model, training.tree.params, corpus.heldOut, heldOutRows, steps);
    evaluationTime += performance.now() - from;
    return loss;
  };

  const windows = truncated(
    model,
    training.tree.params,
    lanes(corpus.training, options.batch, training.step),
    {
      compile: true,
      k1: options.k1,
      k2: options.k2,
      reduction: "mean",
      loss: (logits: Tensor, target: Tensor) => crossEntropy(logits, target, { reduction: "none" }),
      measure: (window) => window % measureEveryWindows === 0,
      state: training.tree.state,
    },
  );
  let windowStart = clock();
  for (const window of windows) {
    const { tree: values } = training;
    const [updates, next] = optimizer.update(window.gradients, values.optimizer, values.params);
    values.params = applyUpdates(values.params, updates) as Params;
    values.optimizer = next;
    training.step += window.losses.length;
    const now = clock();
    const line: Metrics = {
      window: training.window,
      step: training.step,
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
    training.window++;
    windowStart = clock();
    metrics.push(line);
    log(line);
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
    if (clock() >= end || stop()) {
      values.state = tree.map(window.state, (x: Tensor) => clone(x)) as State;
      training.seconds = clock();
      break;
    }
  }
  const heldOut = measured(400);
  const text = sample(model, training.tree.params, corpus.characters, sampling, {
    length: 600,
    temperature: options.temperature,
  });
  return {
    ...checkpoint(training, sampling.getState()),
    metrics,
    heldOut,
    sample: text,
    parameters: countParameters(training.tree.params),
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** A checkpoint of a run: tensors and text. */
function checkpoint(
  { tree: values, step, window, seconds }: Training,
  sampling: RngState,
): Pick<Result, "tensors" | "metadata"> {
  return {
    tensors: values,
    metadata: {
      training: JSON.stringify({ step, window, seconds }),
      sampling: JSON.stringify(sampling),
    },
  };
}

/** Puts back what `checkpoint` took; returns the stream that samples are drawn from. */
function restore(training: Training, decoded: Decoded): Rng {
  const text = (key: string): unknown => {
    const value = decoded.metadata[key];
    if (value !== undefined) return JSON.parse(value);
    throw new UsageError(`--resume: model.safetensors lacks the metadata "${key}" of a run`);
  };
  try {
    training.tree = restoreTree(training.tree, decoded);
    Object.assign(training, text("training"));
    return rngFrom(text("sampling") as RngState);
  } catch (error) {
    throw new UsageError(`--resume: model.safetensors does not fit: ${(error as Error).message}`);
  }
}
