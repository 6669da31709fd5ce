import { Region, within } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { changeOfType, checkState } from "../checkState.ts";
import { floatsOf } from "../derivatives/vectors.ts";
import { advance } from "../sequences/advance.ts";
import { startOf } from "../startOf.ts";
import { atStep } from "../stepErrors.ts";
import { Source } from "../truncated/source.ts";
import type { PreparedStep, TimeStep } from "../truncated/step.ts";
import type { Sequence, StepSource } from "../truncated/stream.ts";

/** What an instrument reads: steps with inputs, marks and, where it needs a loss, targets. */
export type FlowSource<X, Target = unknown> =
  | StepSource<X, Target>
  | Iterable<Omit<TimeStep<X, Target>, "target">>
  | Omit<Sequence, "targets">;

/** Where the trajectory of a model begins, and what it draws. */
export interface TrajectoryOptions<State> {
  /** The state before the first step; the model's initial state unless given. */
  readonly state?: Values<State>;
  /** Draws the noise of a model that has some; `null` runs it without, as in evaluation. */
  readonly rng?: Rng | null;
}

/** Step `t` (from 1) of a trajectory: what the model reads there, and the states around it. */
export interface TrajectoryStep<State, X, Target> {
  readonly t: number;
  readonly step: PreparedStep<X, Target>;
  readonly before: Values<State>;
  readonly after: Values<State>;
}

/**
 * Runs a model over all steps of a stream, without a tape, and gives `use` the trajectory; its
 * tensors live until `use` returns.
 *
 * @param k1 steps of a window: noise that is drawn per window is drawn anew after them
 * @throws for an asynchronous stream, a stream without steps, and a state that has no tensor of
 *   floats or changes its shape: it has no Jacobian
 */
export function withTrajectory<Params, State, X, Target, T>(
  where: string,
  cell: Cell<Params, State, X, unknown>,
  params: Values<Params>,
  stream: FlowSource<X, Target>,
  { state: given, rng }: TrajectoryOptions<State>,
  use: (trajectory: readonly TrajectoryStep<State, X, Target>[]) => T,
  k1: number = Infinity,
): T {
  checkCell(where, cell, "step", "its outputs and gradients are those of unroll");
  const source = new Source<X, Target>(where, steppable(where, stream));
  const settings = { rng, state: given, compile: false, resumed: undefined };
  source.connect({ cell, params: () => params, settings } as Parameters<typeof source.connect>[0]);
  if (given !== undefined) checkState(`${where}: the state`, given, cell.state);
  const place = new Region();
  const regions: Region[] = [place];
  const trajectory: TrajectoryStep<State, X, Target>[] = [];
  try {
    let before = given;
    for (let t = 1; ; t++) {
      if ((t - 1) % k1 === 0) source.beginWindow();
      const next = source.next().next();
      const owned = next.done === true ? next.value : undefined;
      if (owned === undefined) break;
      const { value: step, region } = owned;
      regions.push(region);
      within(place, () => {
        before ??= startOf(cell, params, step.input, where);
        checkSmooth(where, before);
        const run = () => advance(cell, params, step.input, step, before!).next;
        const after = atStep(`${where}: step`, t, run);
        checkSameShapes(where, t, before, after);
        trajectory.push({ t, step, before, after });
        before = after;
      });
    }
    if (trajectory.length === 0) throw new RangeError(`${where}: the stream has no steps`);
    return use(trajectory);
  } finally {
    source.close();
    for (const region of regions) region.end(`${where} has returned`);
  }
}

/** A stream that `Source` takes: synchronous, with targets, which nobody reads where none are. */
function steppable<X, Target>(where: string, stream: FlowSource<X, Target>): StepSource<X, Target> {
  if (typeof stream === "object" && stream !== null) {
    if (Symbol.asyncIterator in stream) {
      throw new TypeError(
        `${where}: the stream is asynchronous; collect the steps to look at first, as in await Array.fromAsync(stream)`,
      );
    }
    if (!(Symbol.iterator in stream) && "inputs" in stream && !("targets" in stream)) {
      return { ...stream, targets: stream.inputs } as Sequence;
    }
  }
  return stream as StepSource<X, Target>;
}

function checkSmooth(where: string, state: unknown): void {
  if (floatsOf(state).length > 0) return;
  throw new TypeError(
    `${where}: the state of the model has no tensor of floats, so nothing flows through time; give it a cell with a state that is not of whole numbers`,
  );
}

function checkSameShapes(where: string, t: number, before: unknown, after: unknown): void {
  const change = changeOfType(before, after);
  if (change === undefined) return;
  throw new TypeError(
    `${where}: step ${t} changes the state "${change.path}" from ${change.was} to ${change.is}; a Jacobian needs a state of one shape at all steps`,
  );
}
