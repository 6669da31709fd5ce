import { Tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import { checkUntracked, type Owned, type TimeStep } from "./step.ts";

/** A whole sequence, time-major: `inputs [T, B, ...]` and `targets [T, B, ...]`. */
export interface Sequence {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

/** An iterable of steps, or a whole time-major sequence. */
export type StepSource<X, Target> = Iterable<TimeStep<X, Target>> | Sequence;

/** Why what came with a time step is gone. */
export const stepIsOver =
  "it came with a time step that is more than k2 steps back; make what all steps share outside of the stream";

/** Why what came with the last steps is gone. */
export const streamIsOver = "the stream of windows has ended";

/** The steps of a stream, read one after the other; what they hold is owned by the reader. */
export class Source<X, Target> {
  readonly where: string;
  readonly #steps: Iterator<TimeStep<X, Target>>;
  readonly #isReadLate: boolean;
  #done = false;

  /**
   * @param where the public function, whose errors are said to be
   * @param isReadLate whether values are read again, or not at once: then they must not change
   */
  constructor(where: string, stream: StepSource<X, Target>, isReadLate: boolean) {
    this.where = where;
    this.#isReadLate = isReadLate;
    if (typeof stream !== "object" || stream === null) {
      throw new TypeError(
        `${where}: the stream must be an iterable of { input, target }, or { inputs, targets }, got ${stream === null ? "null" : `a ${typeof stream}`}`,
      );
    }
    const iterable = Symbol.iterator in stream ? stream : slices(where, stream);
    this.#steps = (iterable as Iterable<TimeStep<X, Target>>)[Symbol.iterator]();
  }

  /** The next step, or `undefined` at the end. */
  next(): Owned<TimeStep<X, Target>> | undefined {
    if (this.#done) return undefined;
    const region = new Region();
    try {
      const { done, value } = within(region, () => this.#steps.next());
      if (done !== true) {
        checkUntracked(this.where, "the input", value?.input);
        checkUntracked(this.where, "the target", value?.target);
        return { value: this.#isReadLate ? noted(value) : value, region };
      }
    } catch (error) {
      this.#done = true;
      region.end("the stream of steps threw");
      throw error;
    }
    this.#done = true;
    region.end("the stream of steps has ended");
    return undefined;
  }

  /** Adds steps until there are `count`, or the stream ends. */
  fill(steps: Owned<TimeStep<X, Target>>[], count: number): void {
    while (steps.length < count) {
      const step = this.next();
      if (step === undefined) return;
      steps.push(step);
    }
  }

  close(): void {
    if (!this.#done) this.#steps.return?.();
  }
}

function* slices(
  where: string,
  { inputs, targets }: Sequence,
): Generator<TimeStep<Tensor, Tensor>> {
  if (!(inputs instanceof Tensor) || !(targets instanceof Tensor)) {
    throw new TypeError(
      `${where}: the stream must be an iterable of { input, target }, or { inputs, targets } of two time-major tensors; for trees of inputs, give steps`,
    );
  }
  const length = inputs.shape[0];
  if (length === undefined || targets.shape[0] !== length) {
    throw new RangeError(
      `${where}: inputs and targets must be time-major and equally long, got shapes [${inputs.shape}] and [${targets.shape}]`,
    );
  }
  for (let t = 0; t < length; t++) yield { input: inputs.slice([t]), target: targets.slice([t]) };
}

/** The memory of each step that was noted, and how often live views had changed it by then. */
const came = new WeakMap<object, readonly [blocks: readonly Tensor["block"][], versions: number]>();

/** The step, for `checkUnchanged`: as a new object, since a stream may yield one twice. */
function noted<X, Target>({ input, target }: TimeStep<X, Target>): TimeStep<X, Target> {
  const step = { input, target };
  const blocks = tree.leaves(step).map(({ block }) => block);
  came.set(step, [blocks, versionsOf(blocks)]);
  return step;
}

function versionsOf(blocks: readonly Tensor["block"][]): number {
  let sum = 0;
  for (const { holders, version } of blocks) sum += holders > 0 ? version : Number.NaN;
  return sum;
}

/** Throws when a value of step `t` is gone, or a live view may have changed it since it came. */
export function checkUnchanged(where: string, step: object, t: number): void {
  const [blocks = [], versions = 0] = came.get(step) ?? [];
  if (versionsOf(blocks) === versions) return;
  const gone = blocks.findIndex(({ holders }) => holders <= 0);
  const path = gone < 0 ? "a value" : `the ${tree.leavesWithPath(step)[gone]![0]}`;
  const what =
    gone < 0
      ? "was changed through a live view after the step had come"
      : `is gone: ${blocks[gone]!.whyGone}`;
  throw new Error(
    `${where}: ${path} of step ${t} ${what}; yield tensors of its own with each step, such as clone(x)`,
  );
}
