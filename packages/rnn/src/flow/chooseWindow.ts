import type { Tensor } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { rowsVector } from "../derivatives/vectors.ts";
import type { StepSource } from "../truncated/stream.ts";
import type { Course } from "./bands.ts";
import { type Decay, decayOf } from "./decay.ts";
import type { Estimate } from "./gradientBias.ts";
import { LagSamples } from "./lagSamples.ts";
import { checkLossOptions, type FlowLossOptions } from "./lossAt.ts";
import { tailOf } from "./reach.ts";
import { smallestWindow } from "./smallestWindow.ts";
import { type MeasuredWindow, measureStretches, type Stretch, stretchesOf } from "./stretches.ts";
import { sweepLags } from "./sweepLags.ts";
import { checkPlan, planOf } from "./windowPlan.ts";
import { withLosses } from "./withLosses.ts";

/** What a window must achieve, and where that is measured. */
export interface ChooseWindowOptions<State, Y = Tensor, Target = Tensor>
  extends FlowLossOptions<State, Y, Target> {
  /** The relative bias that is allowed, greater than 0 and less than 1. */
  readonly tolerance: number;
  /** Steps between updates; 1 unless given. */
  readonly k1?: number;
  /**
   * The largest k2 to consider, and the largest lag to measure. Unless given, a quarter of the
   * steps that are not held out, at most 128.
   */
  readonly lags?: number;
  /** The share of the stream at its end on which the choice is checked; 0.25 unless given. */
  readonly heldOut?: number;
}

/** What was found on a stretch that was held out. */
export interface CheckedStretch extends Stretch {
  /** |G_k - G| / |G| of its losses; `null` where they have no gradient. */
  readonly relativeError: number | null;
}

/** A window and why it is long enough; or why there is none. Plain data. */
export interface ChosenWindow {
  /** The smallest k2 whose relative bias stays below the tolerance; `null` where it is refused. */
  readonly k2: number | null;
  /** Why there is no k2, in a sentence; `null` where there is one. */
  readonly refusal: string | null;
  readonly tolerance: number;
  readonly k1: number;
  readonly lags: number;
  /** T. */
  readonly steps: number;
  /** How the lag matrix decays; `null` where its means are 0 at all lags of the fit but one. */
  readonly decay: Decay | null;
  /** The share of its mass that is estimated to lie above `lags`; `null` where nothing decays. */
  readonly tail: number | null;
  /**
   * The relative bias of `k2`: its value, and an interval over stretches whose upper end counts the
   * tail in. It is for that of `checked` where only the check failed, and `null` where no k2 came
   * so far.
   */
  readonly estimate: Estimate | null;
  /** Each k2 that was measured on the way, ascending. */
  readonly measured: readonly Omit<MeasuredWindow, "each">[];
  /** The same of `k2` on the stretches that were held out, together: it is below the tolerance. */
  readonly heldOut: Estimate | null;
  readonly checked: readonly CheckedStretch[];
}

/**
 * The smallest k2 whose relative bias `|G_k - G| / |G|` stays below a tolerance, with the evidence;
 * or a refusal.
 *
 * The stream is cut in two. On its first part the relative bias is measured exactly for a ladder of
 * k2, and then between two of its rungs, on 6 stretches: what varies from one to the next gives an
 * interval (jackknife). The losses of the first `lags` steps are left out there, since gradients
 * have no room before them. What flows further back than `lags` is estimated from the geometric
 * decay of the lag matrix beyond half of `lags` (Aicher, Foti & Fox 2019), and added to the
 * interval. The smallest k2 is chosen whose interval ends below the tolerance, as those of all
 * larger ones do. Then its bias is compared with the full gradient on 2 stretches that were held
 * out.
 *
 * There is no certificate, and `refusal` says why, where the losses have no gradient, where the
 * norms of the lag matrix do not decay (the interval of the rate reaches 1), where too much may lie
 * above `lags`, where no k2 up to `lags` is long enough, and where the held-out stretches
 * contradict.
 *
 * Cost: the lag matrix, T lags pullbacks of the state, and about T (lags / k1 + 18) of a step for
 * each pass over the ladder, one for `lags` up to 16 and two up to 256.
 *
 * @param stream as `truncated` takes it, but for asynchronous ones
 * @throws for a tolerance outside (0, 1), a stream that is too short for `lags`, losses that are
 *   null at all steps of a part, or a loss that is not finite
 *
 * @example
 * ```ts
 * import { ones, type Tensor, tensor } from "@chronograd/autodiff";
 * import { defineCell } from "@chronograd/rnn";
 * import { chooseWindow } from "@chronograd/rnn/flow";
 *
 * // h_t = a h_{t-1} + w, with the loss h_t: a window of k2 steps keeps 1 - a^k2 of dl/dw.
 * const cell = defineCell({
 *   params: () => ({ w: { shape: [1], draw: () => Float64Array.of(1) } }),
 *   state: () => ({ h: { shape: [1], draw: () => Float64Array.of(0) } }),
 *   step: ({ w }, x: Tensor, { h }) => {
 *     const next = h.mul(0.5).add(w.mul(x));
 *     return [next, { h: next }];
 *   },
 * })({ input: 1, hidden: 1 });
 * const params = { w: tensor([1]) };
 * const stream = { inputs: ones([200, 1, 1]), targets: ones([200, 1, 1]) };
 * const loss = (h: Tensor) => h;
 * const { k2, heldOut, decay } = chooseWindow(cell, params, stream, { tolerance: 0.1, loss });
 * k2; // => 4
 * heldOut?.value?.toFixed(4); // => "0.0625"
 * decay?.rate.toFixed(3); // => "0.500"
 * ```
 */
export function chooseWindow<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: StepSource<X, Target>,
  options: ChooseWindowOptions<State, Y, Target>,
): ChosenWindow {
  checkLossOptions(where, stream, options, ["tolerance", "k1", "lags", "heldOut"]);
  checkPlan(where, options);
  const { loss, k1 = 1, tolerance } = options;
  return withLosses(
    where,
    cell,
    params,
    stream,
    options,
    (trajectory) => {
      const steps = trajectory.length;
      const { lags, from, until } = planOf(where, steps, options);
      const course: Course<Params, State, X, Y, Target> = { where, cell, params, loss, trajectory };
      const samples = new LagSamples(lags, rowsVector(trajectory[0]!.before).shape[0]!);
      sweepLags({ where, cell, params, loss, lags, samples }, trajectory.slice(0, until));
      if (samples.batches().batches.length === 0) throw nullLosses(from, until);
      const { decay, tail, refusal } = flowBeyond(samples, lags, tolerance);
      const found = { tolerance, k1, lags, steps, decay, tail };
      const nothing = { measured: [], estimate: null, heldOut: null, checked: [] };
      if (refusal !== null) return { k2: null, refusal, ...found, ...nothing };

      const measure = (stretches: readonly Stretch[], k2s: readonly number[]) => {
        const { measured, losses } = measureStretches(course, stretches, k1, k2s);
        if (losses > 0) return measured;
        throw nullLosses(stretches[0]!.start, stretches.at(-1)!.end);
      };
      const calibration = stretchesOf(from, until, k1, 6);
      const { chosen, measured } = smallestWindow(k1, lags, tolerance, (k2s) => {
        return measure(calibration, k2s).map(({ k2, relativeError }) => {
          return { k2, relativeError: withTail(relativeError, tail!) };
        });
      });
      if (chosen === undefined) {
        const { value, high } = measured.at(-1)!.relativeError;
        const text =
          value === null
            ? `the gradient of the losses is 0 on the stretch measured, steps ${from + 1} to ${until}, and has no relative bias; look at the loss, at its scale and at units that are dead, or give another stream`
            : `with k2 ${lags} the relative bias is ${shown(value)}, up to ${shown(high!)}, which is not below the tolerance ${tolerance}; allow more lags, or give a longer stream`;
        return { ...found, ...nothing, k2: null, refusal: text, measured };
      }
      const { k2, relativeError: estimate } = chosen;
      const held = stretchesOf(until, steps, k1, 2);
      const [{ relativeError: heldOut, each }] = measure(held, [k2]) as [MeasuredWindow];
      const checked = held.map((stretch, i) => ({ ...stretch, relativeError: each[i]! }));
      const evidence = { ...found, estimate, measured, heldOut, checked };
      if (heldOut.value !== null && heldOut.value < tolerance) {
        return { k2, refusal: null, ...evidence };
      }
      const bias =
        heldOut.value === null ? "there is no gradient" : `it is ${shown(heldOut.value)}`;
      const contradiction = `k2 ${k2} has a relative bias of ${shown(estimate.value!)} on steps ${from + 1} to ${until}, but ${bias} on those held out, ${until + 1} to ${steps}, with the tolerance ${tolerance}; give a longer stream`;
      return { k2: null, refusal: contradiction, ...evidence };
    },
    k1,
  );
}

const where = "chooseWindow";

function nullLosses(start: number, end: number): RangeError {
  return new RangeError(
    `${where}: the loss is null at all steps from ${start + 1} to ${end}, so nothing can be measured there; give a stream with losses`,
  );
}

/** What the lag matrix says of flow beyond the lags that were measured. */
function flowBeyond(
  samples: LagSamples,
  lags: number,
  tolerance: number,
): Pick<ChosenWindow, "decay" | "tail" | "refusal"> {
  const { batches } = samples.batches();
  const { mean } = samples.means();
  const decay = decayOf(batches, Math.floor(lags / 2));
  const slowest = decay && { ...decay, rate: decay.interval?.[1] ?? decay.rate };
  const mass = tailOf(mean, slowest, true);
  if (mass === null) {
    const refusal =
      decay === null
        ? `the gradient reaches back ${lags} steps, and its decay there cannot be told; give more lags, or a longer stream`
        : `the gradient does not decay: its norm is multiplied by ${shown(decay.rate)} per step back, with an interval up to ${shown(slowest!.rate)}, from lag ${decay.from} to ${decay.to}, so no window is known to be long enough; give more lags, and a longer stream, to see whether it decays further back`;
    return { decay, tail: null, refusal };
  }
  const total = mean.reduce((a, b) => a + b, mass);
  const tail = total === 0 ? 0 : mass / total;
  if (tail < tolerance) return { decay, tail, refusal: null };
  const refusal = `the measured lags are too few to tell: an estimated ${shown(tail)} of the gradient's mass lies above lag ${lags}, and the tolerance is ${tolerance}; give more lags, and a stream that is long enough for them`;
  return { decay, tail, refusal };
}

/** What may lie further back than was measured belongs to the upper end. */
function withTail({ value, low, high }: Estimate, tail: number): Estimate {
  return { value, low, high: high === null ? null : high + tail };
}

const shown = (x: number): string => String(Number(x.toPrecision(3)));
