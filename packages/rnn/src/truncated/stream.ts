import { Tensor } from "@chronograd/autodiff";
import { checkOptions, nearestOf } from "@chronograd/autodiff/internal";
import { batchOf } from "../checkRows.ts";
import { checkedMarks, marksAt, type SequenceMarks } from "../sequences/marks.ts";
import { checkUntracked, type TimeStep } from "./step.ts";

/** A whole sequence, time-major: `inputs [T, B, ...]` and `targets [T, B, ...]`. */
export interface Sequence<Context = unknown> extends SequenceMarks {
  readonly inputs: Tensor;
  readonly targets: Tensor;
  /** A tree that all steps share; the input of a step is then `{ x, context }`. */
  readonly context?: Context;
}

/** An iterable of steps, or a whole time-major sequence. */
export type StepSource<X, Target> = Iterable<TimeStep<X, Target>> | Sequence;

/** Steps that come when they come. */
export type AsyncStepSource<X, Target> = AsyncIterable<TimeStep<X, Target>>;

const marks = ["reset", "mask"];
const ofSequences = ["lengths", "context", "inputs", "targets"];

/** Throws a sentence for what is no step. */
export function checkStep(where: string, step: unknown, t: number): void {
  if (typeof step !== "object" || step === null || !("input" in step)) {
    const got =
      step instanceof Promise
        ? "a promise; give an asynchronous iterable, such as async function* () { yield await step; }"
        : typeof step === "object" && step !== null
          ? `an object with ${Object.keys(step).join(", ") || "nothing"}`
          : String(step);
    throw new TypeError(`${where}: step ${t} of the stream must be { input, target }, got ${got}`);
  }
  for (const name in step) {
    if (name === "input" || name === "target" || marks.includes(name)) {
      checkUntracked(where, `the ${name}`, step[name as keyof typeof step]);
      continue;
    }
    if (ofSequences.includes(name)) {
      throw new TypeError(
        `${where}: step ${t} of the stream has "${name}", which belongs to a whole sequence { inputs, targets, ${name} }; a step takes reset and mask`,
      );
    }
    const meant = nearestOf(name, marks);
    if (meant === undefined) continue;
    throw new TypeError(
      `${where}: step ${t} of the stream has "${name}", did you mean "${meant}"?`,
    );
  }
}

/** The steps of a whole sequence. */
export function timeSteps<X, Target>(
  where: string,
  sequence: Sequence,
): Iterable<TimeStep<X, Target>> {
  const { inputs, targets, context, ...marks } = sequence;
  if (!(inputs instanceof Tensor) || !(targets instanceof Tensor)) {
    throw new TypeError(
      `${where}: the stream must be an iterable of { input, target }, or { inputs, targets } of two time-major tensors; for trees of inputs, give steps`,
    );
  }
  checkOptions(where, sequence, ["inputs", "targets", "lengths", "mask", "resets", "context"]);
  const length = inputs.shape[0];
  if (length === undefined || targets.shape[0] !== length) {
    throw new RangeError(
      `${where}: inputs and targets must be time-major and equally long, got shapes [${inputs.shape}] and [${targets.shape}]`,
    );
  }
  const batch = () => batchOf(inputs.slice([0]), where);
  const checked = checkedMarks(where, marks, length, batch, inputs.backend);
  return (function* () {
    for (let t = 1; t <= length; t++) {
      const x = inputs.slice([t - 1]);
      const input = (context === undefined ? x : { x, context }) as X;
      yield { input, target: targets.slice([t - 1]) as Target, ...marksAt(checked, t) };
    }
  })();
}
