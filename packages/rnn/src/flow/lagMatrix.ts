import type { Tensor } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import { rowsVector } from "../derivatives/vectors.ts";
import type { StepSource } from "../truncated/stream.ts";
import { type Decay, decayOf } from "./decay.ts";
import { type LagMeans, LagSamples } from "./lagSamples.ts";
import { checkLossOptions, type FlowLossOptions } from "./lossAt.ts";
import { type Reach, reachOf, tailOf } from "./reach.ts";
import { sweepLags } from "./sweepLags.ts";
import { withLosses } from "./withLosses.ts";

/** What `lagMatrix` takes. */
export interface LagMatrixOptions<State, Y = Tensor, Target = Tensor>
  extends FlowLossOptions<State, Y, Target> {
  /** The largest lag, a whole number of at least 1 and at most the number of steps. */
  readonly lags: number;
  /** Takes the loss of every so many steps only, counted from the last; 1 unless given. */
  readonly every?: number;
  /** The first lag to which a geometric decay is fitted; half of `lags` unless given. */
  readonly decayFrom?: number;
}

/** How far each loss reaches back. Plain data. */
export interface LagMatrix extends LagMeans {
  /** T. */
  readonly steps: number;
  /** B. */
  readonly rows: number;
  readonly lags: number;
  /**
   * `matrix[s - 1][tau]` is `|dl_s / dh_(s - tau)|`: the Euclidean norm of each row's gradient, and
   * the mean of those norms over the rows with a step. `null` for a step whose loss is not taken,
   * or is `null`; a step before step `lags` has only the lags up to the first state, `tau <= s`.
   */
  readonly matrix: readonly (readonly number[] | null)[];
  /** How the mean falls with the lag; `null` where fewer than two means can be compared. */
  readonly decay: Decay | null;
  /**
   * The share of the mass that is estimated to lie at lags above `lags`, where the decay goes on; 0
   * where no step has more, `null` where the decay is none, or 1 or more per lag.
   */
  readonly tail: number | null;
  /** How many steps hold 50, 90 and 99 % of the mass. */
  readonly reach: readonly Reach[];
}

/**
 * The **lag matrix**: how strongly each loss `l_s` depends on the state `tau` steps before it,
 * `|dl_s / dh_(s - tau)|`, with what follows from it: the mean by lag, its geometric decay, and how
 * far back the gradient's mass lies.
 *
 * `h_t` is the state after step t, all its leaves side by side, and step t computes its output and
 * its loss from `h_(t - 1)`. At a lag of 1 or more the derivative is the total one, along all paths
 * through the steps after `s - tau`; a truncation to k2 steps leaves out the lags from k2 on. At
 * lag 0 it is the derivative of the loss by the leaves of `h_s` as independent variables, as far as
 * the output is computed from these very tensors, and 0 where it is not. A row that was reset in
 * between has norm 0, a row without a step at s no part in the mean.
 *
 * Cost: the stretch twice forward, and a pull for each loss step and lag, `T lags` in all, those of
 * one step together as one batch of up to `lags B` rows, with memory for the states of the stretch
 * and the tape of such a batch. `every: n` makes it n times less. It reads only values: no gradient
 * changes.
 *
 * @param stream as `truncated` takes it, synchronous: `{ inputs [T, B, ...], targets }` or steps
 * @throws for a stream shorter than `lags`, where no step from step `lags` on has a loss, for a
 *   loss or a gradient that is not finite, with its step, and for a state without floats
 *
 * @example
 * ```ts
 * import { type Tensor, zeros } from "@chronograd/autodiff";
 * import { defineCell } from "@chronograd/rnn";
 * import { lagMatrix } from "@chronograd/rnn/flow";
 *
 * // x_t = x_{t-1} / 2, and the loss is x_t: its derivative by the state tau steps before is 2^-tau.
 * const cell = defineCell({
 *   params: () => ({}),
 *   state: () => ({ x: { shape: [1], draw: () => Float64Array.of(1) } }),
 *   step: (_params, _input, { x }) => {
 *     const next = x.mul(0.5);
 *     return [next, { x: next }];
 *   },
 * })({ input: 1, hidden: 1 });
 * const sequence = { inputs: zeros([8, 1, 1]), targets: zeros([8, 1, 1]) };
 * const { mean, decay, reach } = lagMatrix(cell, {}, sequence, {
 *   lags: 4,
 *   loss: (x: Tensor) => x.sum(),
 * });
 * mean; // => [1, 0.5, 0.25, 0.125, 0.0625]
 * decay?.rate.toFixed(3); // => "0.500"
 * reach.map(({ share, steps }) => [share, steps]); // => [[0.5, 1], [0.9, 4], [0.99, null]]
 * ```
 */
export function lagMatrix<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: StepSource<X, Target>,
  options: LagMatrixOptions<State, Y, Target>,
): LagMatrix {
  const where = "lagMatrix";
  checkLossOptions(where, stream, options, ["lags", "every", "decayFrom"]);
  const { loss, lags, every = 1 } = options;
  checkLag("lags", lags, 1, Infinity);
  checkLag("every", every, 1, Infinity);
  const { decayFrom = Math.floor(lags / 2) } = options;
  checkLag("decayFrom", decayFrom, 0, lags - 1);
  return withLosses(where, cell, params, stream, options, (trajectory) => {
    const steps = trajectory.length;
    if (steps < lags) {
      throw new RangeError(
        `${where}: the stream has ${inSteps(steps)}, fewer than the ${lags} of lags; give a longer stretch, or fewer lags`,
      );
    }
    const rows = rowsVector(trajectory[0]!.before).shape[0]!;
    const samples = new LagSamples(lags, rows);
    sweepLags({ where, cell, params, loss, lags, every, samples }, trajectory);
    const matrix = trajectory.map(({ t }) => samples.at(t));
    const last = matrix.findLastIndex((norms) => norms !== null) + 1;
    if (last === 0) {
      throw new RangeError(
        `${where}: every loss that is taken of the ${inSteps(steps)} is null, so there is no gradient; return a tensor at one step at least`,
      );
    }
    if (last < lags) {
      throw new RangeError(
        `${where}: the last step with a loss is step ${last}, before the ${lags} of lags; give fewer lags, or losses at later steps`,
      );
    }
    const { batches } = samples.batches();
    const means = samples.means();
    const decay = decayOf(batches, decayFrom);
    const tail = tailOf(means.mean, decay, last > lags);
    const total = means.mean.reduce((a, b) => a + b, tail ?? 0);
    return {
      ...{ steps, rows, lags, matrix, ...means, decay },
      tail: tail === null || total === 0 ? tail : tail / total,
      reach: reachOf(means.mean, tail),
    };
  });
}

const inSteps = (count: number) => `${count} step${count === 1 ? "" : "s"}`;

function checkLag(name: string, lag: number, least: number, most: number): void {
  if (Number.isInteger(lag) && lag >= least && lag <= most) return;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`lagMatrix: ${name} must be a whole number ${range}, got ${textOf(lag)}`);
}
