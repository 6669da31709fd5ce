import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { Transition } from "../derivatives/transition.ts";
import { batchMeans, type Growth, meanGrowth } from "./batchMeans.ts";
import { checkBytes, checkCount, checkFiniteState } from "./checks.ts";
import { coursesOf } from "./rowCourse.ts";
import { Tangents } from "./tangents.ts";
import { type FlowSource, type TrajectoryOptions, withTrajectory } from "./trajectory.ts";

/** What `lyapunovSpectrum` takes. */
export interface LyapunovOptions<State> extends TrajectoryOptions<State> {
  /** K, how many exponents, the largest first; 8, or H if that is less, unless given. */
  readonly count?: number;
  /**
   * Steps in which the directions turn to where they grow most, and which are not counted; a tenth
   * of the steps unless given.
   */
  readonly warmUp?: number;
  /** Steps of one growth, from whose differences errors are estimated; 1 unless given. */
  readonly every?: number;
}

/** The exponents of one trajectory: one row of a batch. */
export interface RowLyapunov {
  readonly row: number;
  /** How many steps were counted. */
  readonly steps: number;
  readonly exponents: readonly number[];
  readonly errors: readonly number[];
}

/** The estimate up to a step. */
export interface RunningLyapunov {
  readonly t: number;
  readonly exponents: readonly number[];
}

/** The Lyapunov spectrum of a model along trajectories. */
export interface LyapunovSpectrum {
  /** H. */
  readonly size: number;
  /** How many steps were counted, of all rows. */
  readonly steps: number;
  /** Largest first: means over the rows, by their steps; -Infinity where directions are lost. */
  readonly exponents: readonly number[];
  /** The standard error of each, by batch means. */
  readonly errors: readonly number[];
  /** The standard deviation of each over the rows. */
  readonly spread: readonly number[];
  readonly rows: readonly RowLyapunov[];
  /** At most 100 estimates on the way, the last of which is the result. */
  readonly running: readonly RunningLyapunov[];
}

/**
 * The Lyapunov exponents of a model along the trajectories of a stream: how fast K orthogonal
 * directions grow or shrink per step, as natural logarithms (Benettin, Galgani, Giorgilli &
 * Strelcyn 1980; for recurrent networks Engelken, Wolf & Abbott 2023). A gradient far back grows
 * as the first.
 *
 * Each row of a batch is a trajectory of its own. At a reset a row begins afresh, with a warm-up
 * of its own; steps in which it is masked are not counted. One step costs K pushes of a direction
 * through its Jacobian and `2 K^2 H` multiplications a row for a QR decomposition.
 *
 * @param stream steps `{ input }` or `{ inputs: [T, B, I] }`; targets are not read
 * @throws for a count above H, a stream too short for two estimates, states or derivatives that
 *   are not finite, an asynchronous stream, and a state that has no floats or changes its shape
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { init } from "@chronograd/nn";
 * import { defineCell } from "@chronograd/rnn";
 * import { lyapunovSpectrum } from "@chronograd/rnn/flow";
 *
 * // The logistic map x -> 4 x (1 - x), whose exponent is ln 2.
 * const logistic = defineCell({
 *   params: () => ({}),
 *   state: () => ({ h: init.zeros(1) }),
 *   step: (_params, _x, { h }) => {
 *     const next = h.mul(4).mul(h.neg().add(1));
 *     return [next, { h: next }];
 *   },
 * })({ input: 1, hidden: 1 });
 * const steps = Array.from({ length: 500 }, () => ({ input: tensor([[0]], { dtype: "float64" }) }));
 * const state = { h: tensor([[0.3]], { dtype: "float64" }) };
 * const { exponents } = lyapunovSpectrum(logistic, {}, steps, { state });
 * Math.abs(exponents[0]! - Math.LN2) < 0.01; // => true
 * ```
 */
export function lyapunovSpectrum<Params, State, X>(
  cell: Cell<Params, State, X, unknown>,
  params: Values<Params>,
  stream: FlowSource<X>,
  options: LyapunovOptions<State> = {},
): LyapunovSpectrum {
  const where = "lyapunovSpectrum";
  checkOptions(where, options, ["count", "warmUp", "every", "state", "rng"]);
  const { count: asked, warmUp: given, every = 1 } = options;
  checkCount(where, "every", every, 1);
  return withTrajectory(where, cell, params, stream, options, (trajectory) => {
    const transitionAt = ({ step, before }: (typeof trajectory)[number]) =>
      new Transition<Params, State, X, unknown>(cell, params, step, before);
    const { rows: B, size: H } = transitionAt(trajectory[0]!);
    const count = asked ?? Math.min(8, H);
    checkCount(where, "count", count, 1, H);
    const warmUp = given ?? Math.floor(trajectory.length / 10);
    checkCount(where, "warmUp", warmUp, 0);
    const what = `${count} directions of ${B} rows with ${H} numbers`;
    checkBytes(where, what, 8 * count * B * H, "ask for a smaller count");
    const tangents = new Tangents(where, B, H, { count, warmUp, every });
    for (const each of trajectory) {
      checkFiniteState(where, each.t, each.after);
      tangents.step(each.t, transitionAt(each) as never, coursesOf(each.step, B));
    }
    const { growths } = tangents;
    if (!growths.some((row) => row.length > 1)) {
      const needed = warmUp + 2 * every;
      throw new RangeError(
        `${where}: no row goes on for ${needed} steps, a warm-up of ${warmUp} and two times ${every} to estimate an error from, in a stream of ${trajectory.length}; give more steps, or a smaller warmUp`,
      );
    }
    return { size: H, ...summary(growths, count) };
  });
}

/** The estimates of rows that have two growths at least, and of all of them together. */
function summary(
  growths: readonly (readonly Growth[])[],
  count: number,
): Omit<LyapunovSpectrum, "size"> {
  const rows = growths.flatMap((own, row) => {
    if (own.length < 2) return [];
    const { steps, rates, errors } = batchMeans(own, count);
    return { row, steps, exponents: rates, errors };
  });
  const all = rows.flatMap(({ row }) => growths[row]!).sort((a, b) => a.t - b.t);
  const steps = rows.reduce((sum, row) => sum + row.steps, 0);
  const exponents = meanGrowth(all, count);
  const over = (term: (row: RowLyapunov, k: number) => number) =>
    exponents.map((_, k) => Math.sqrt(rows.reduce((sum, row) => sum + term(row, k), 0)));
  const errors = over((row, k) => ((row.steps / steps) * row.errors[k]!) ** 2);
  const spread = over((row, k) => {
    const distance = row.exponents[k] === exponents[k] ? 0 : row.exponents[k]! - exponents[k]!;
    return distance ** 2 / Math.max(1, rows.length - 1);
  });
  return { steps, exponents, errors, spread, rows, running: runningMeans(all, count) };
}

/** The mean growth up to each of at most 100 steps, in the order of time. */
function runningMeans(growths: readonly Growth[], count: number): RunningLyapunov[] {
  const times = [...new Set(growths.map(({ t }) => t))];
  const isKept = (i: number) => {
    const share = Math.min(100, times.length) / times.length;
    return Math.floor((i + 1) * share) > Math.floor(i * share);
  };
  const running: RunningLyapunov[] = [];
  const sums = new Float64Array(count);
  let [next, steps] = [0, 0];
  for (const [i, t] of times.entries()) {
    for (; growths[next]?.t === t; next++) {
      steps += growths[next]!.steps;
      for (let k = 0; k < count; k++) sums[k]! += growths[next]!.logs[k]!;
    }
    if (isKept(i)) running.push({ t, exponents: Array.from(sums, (sum) => sum / steps) });
  }
  return running;
}
