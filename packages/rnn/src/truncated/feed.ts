import { Tensor, tree } from "@chronograd/autodiff";
import { latest, Region, within } from "@chronograd/autodiff/extend";
import { type Cell, initialState, type Values } from "../cell.ts";
import { batchOf, likeParams } from "../unroll.ts";
import type { Plan, Sequence, TimeStep } from "./options.ts";
import { checkUntracked } from "./tracked.ts";

/** Steps as they come, or a whole time-major sequence. */
export type StepSource<X, Target> = Iterable<TimeStep<X, Target>> | Sequence;

function* slices({ inputs, targets }: Sequence): Generator<TimeStep<Tensor, Tensor>> {
  if (!(inputs instanceof Tensor) || !(targets instanceof Tensor)) {
    throw new TypeError(
      "truncated: the stream must be an iterable of { input, target }, or { inputs, targets } of two time-major tensors; for trees of inputs, give steps",
    );
  }
  const length = inputs.shape[0];
  if (length === undefined || targets.shape[0] !== length) {
    throw new RangeError(
      `truncated: inputs and targets must be time-major and equally long, got shapes [${inputs.shape}] and [${targets.shape}]`,
    );
  }
  for (let t = 0; t < length; t++) yield { input: inputs.slice([t]), target: targets.slice([t]) };
}

/** Why what came with a time step is gone. */
export const stepIsOver =
  "it came with a time step that is more than k2 steps back; make what all steps share outside of the stream";

/** Why what came with the last steps is gone. */
export const streamIsOver = "the stream of windows has ended";

/** The values of each step that was pulled, and how often live views had changed their blocks then. */
const came = new WeakMap<object, readonly [blocks: readonly Tensor["block"][], versions: number]>();

function versionsOf(blocks: readonly Tensor["block"][]): number {
  let sum = 0;
  for (const { holders, version } of blocks) sum += holders > 0 ? version : Number.NaN;
  return sum;
}

/** Throws when a value of step `t` is gone, or a live view may have changed it since the step came. */
export function checkUnchanged(step: object, t: number): void {
  const [blocks = [], versions = 0] = came.get(step) ?? [];
  if (versionsOf(blocks) === versions) return;
  const gone = blocks.findIndex(({ holders }) => holders <= 0);
  const path = gone < 0 ? "a value" : `the ${tree.leavesWithPath(step)[gone]![0]}`;
  const what =
    gone < 0
      ? "was changed through a live view after the step had come"
      : `is gone: ${blocks[gone]!.end ?? "nothing holds it"}`;
  throw new Error(
    `truncated: ${path} of step ${t} ${what}; yield tensors of its own with each step, such as clone(x)`,
  );
}

/** A step, and the region that owns what was made on the way to it. */
export interface Pulled<X, Target> {
  readonly step: TimeStep<X, Target>;
  readonly region: Region;
}

/** The steps of a stream, one at a time, their values owned by whoever asks. */
export class Feed<X, Target> {
  readonly #steps: Iterator<TimeStep<X, Target>>;
  #done = false;

  readonly #isReadLate: boolean;

  /** @param isReadLate whether steps are read again, or not at once: then they must not change */
  constructor(stream: StepSource<X, Target>, isReadLate: boolean) {
    this.#isReadLate = isReadLate;
    if (typeof stream !== "object" || stream === null) {
      throw new TypeError(
        `truncated: the stream must be an iterable of { input, target }, or { inputs, targets }, got ${stream === null ? "null" : `a ${typeof stream}`}`,
      );
    }
    const iterable = (Symbol.iterator in stream ? stream : slices(stream)) as Iterable<
      TimeStep<X, Target>
    >;
    this.#steps = iterable[Symbol.iterator]();
  }

  /** The next step, or `undefined` at the end. */
  next(): Pulled<X, Target> | undefined {
    if (this.#done) return undefined;
    const region = new Region();
    try {
      const { done, value } = within(region, () => this.#steps.next());
      if (done !== true) {
        checkUntracked("the input", value?.input);
        checkUntracked("the target", value?.target);
        if (!this.#isReadLate) return { step: value, region };
        // An object of its own, since a stream may yield one twice.
        const step = { input: value.input, target: value.target };
        const blocks = tree.leaves(step).map(({ block }) => block);
        came.set(step, [blocks, versionsOf(blocks)]);
        return { step, region };
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

  close(): void {
    if (!this.#done) this.#steps.return?.();
  }
}

/** Today's parameters: what a function says, or what became of those that `applyUpdates` consumed. */
export function present<Params>(params: Values<Params> | (() => Values<Params>)): Values<Params> {
  const today =
    typeof params === "function"
      ? (params as () => Values<Params>)()
      : (tree.map(params, (x: Tensor) => latest(x)) as Values<Params>);
  checkUntracked("the parameter", today);
  return today;
}

/** The state before the first step: as given, or the model's for as many rows as the input has. */
export function stateFor<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  plan: Plan<State, Y, Target>,
  params: Values<Params>,
  input: X,
): Values<State> {
  checkUntracked("the state", plan.state);
  return plan.state ?? initialState(cell, batchOf(input, "truncated"), likeParams(params));
}
