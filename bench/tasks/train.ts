import { defaultBackend, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm, rng } from "@chronograd/nn";
import { type TimeStep, unroll } from "@chronograd/rnn";
import type { Estimator } from "./estimators.ts";
import type { Target } from "./kinds.ts";
import { firstParams, type Model, type ModelSizes, modelOf } from "./model.ts";
import type { Batch, Task } from "./task.ts";

/** How a task is learnt, whatever the estimator. */
export interface Training extends ModelSizes {
  /** Rows of a batch. */
  readonly rows: number;
  /** How many batches: all estimators see the same ones. */
  readonly batches: number;
  readonly learningRate: number;
}

/** The figure on held-out sequences after so many batches. */
export interface Point {
  readonly batches: number;
  readonly figure: number;
}

export interface Outcome {
  /** The last one is after all batches. */
  readonly curve: readonly Point[];
  readonly updates: number;
  /** Of training alone. */
  readonly seconds: number;
  /** The most kernel memory in use, beyond parameters and the state of the optimizer. */
  readonly peakBytes: number;
  /** Why the training ended before the last batch. */
  readonly failure?: string;
}

/** What came of a training, with what was learnt. */
export interface Trained {
  readonly params: unknown;
  readonly outcome: Outcome;
}

const heldOut = 512;
const points = 20;

/** Trains a new model on the windows of an estimator. */
export function train(
  task: Task,
  training: Training,
  estimator: Estimator,
  seed: number,
  progress: (point: Point) => void = () => {},
): Trained {
  const { rows, batches, learningRate } = training;
  const own = (name: string) => rng(seed, name);
  const model = modelOf(training, task);
  const started = performance.now();
  const first = firstParams(model, training, own("model"));
  let params = estimator.prepare?.(model, first, task, own("preparation")) ?? first;
  const preparation = performance.now() - started;
  const judge = judgeOf(task, model, task.draw(own("held out"), heldOut));
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate }) });
  let state = optimizer.init(params);
  const drawn = function* (): Iterable<Batch> {
    const draws = own("training");
    for (let n = 0; n < batches; n++) yield task.draw(draws, rows);
  };

  const curve: Point[] = [];
  const look = (done: number): void => {
    const point = { batches: done, figure: judge(params) };
    curve.push(point);
    progress(point);
  };
  look(0);
  const { memory } = defaultBackend();
  const before = memory.bytesInUse;
  let [updates, milliseconds, peak] = [0, preparation, before];
  const stream = steps(task, rows, drawn());
  const given = { loss: task.kind.loss(task), draws: own("estimator") };
  const windows = estimator.windows(model, params, stream, given)[Symbol.iterator]();
  try {
    for (;;) {
      const begun = performance.now();
      let next: ReturnType<typeof windows.next> | undefined;
      const reached = memory.peakDuring(() => {
        next = windows.next();
      });
      peak = Math.max(peak, reached);
      if (next!.done === true) break;
      const { gradients, gradientCount, end } = next!.value;
      // Without a loss there is nothing to learn, and Adam would go on by its momentum.
      if (gradientCount > 0) {
        [params, state] = scope(() => {
          const [changes, after] = optimizer.update(gradients, state, params);
          return [applyUpdates(params, changes), after];
        });
        updates++;
      }
      milliseconds += performance.now() - begun;
      const done = Math.floor(end / task.steps);
      if (done >= Math.round((curve.length * batches) / points)) look(done);
    }
  } catch (error) {
    return { params, outcome: outcome((error as Error).message) };
  }
  return { params, outcome: outcome() };

  function outcome(failure?: string): Outcome {
    const cost = { updates, seconds: milliseconds / 1000, peakBytes: peak - before };
    return { curve, ...cost, ...(failure !== undefined && { failure }) };
  }
}

/** All batches as one stream, whose rows begin afresh with each. */
export function* steps(
  task: Task,
  rows: number,
  batches: Iterable<Batch>,
): Generator<TimeStep<Tensor, Target>, void> {
  for (const { inputs, targets, weights } of batches) {
    const part = (all: Float32Array<ArrayBuffer>, t: number) => {
      const size = all.length / task.steps;
      return all.slice(t * size, (t + 1) * size);
    };
    for (let t = 0; t < task.steps; t++) {
      yield {
        input: tensor(part(inputs, t), { shape: [rows, task.inputs] }),
        target: {
          value: task.kind.target(part(targets, t), rows),
          weight: tensor(part(weights, t)),
        },
        // At every step, so that all steps are alike and one plan runs them.
        reset: tensor(new Int32Array(rows).fill(t === 0 ? 1 : 0)),
      };
    }
  }
}

/** Gives the figure of parameters on a batch. */
function judgeOf(task: Task, model: Model, batch: Batch): (params: unknown) => number {
  const inputs = tensor(batch.inputs, { shape: [task.steps, heldOut, task.inputs] });
  return (params) =>
    scope(() => {
      const { outputs } = unroll(model, params, inputs, { compile: true });
      const answers = (outputs as Tensor).toTypedArray();
      return task.kind.judge(answers, batch.targets, batch.weights);
    });
}
