import { scope } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { checkChoice } from "../checkChoice.ts";
import { textOf } from "../checkDefinition.ts";
import { Transition } from "../derivatives/transition.ts";
import { checkBytes, checkCount, checkFiniteState } from "./checks.ts";
import { coursesOf } from "./rowCourse.ts";
import { denseSpectra, krylovSpectra, type RowSpectrum, type Step } from "./rowSpectra.ts";
import { type FlowSource, type TrajectoryOptions, withTrajectory } from "./trajectory.ts";

/** What `jacobianSpectrum` takes. */
export interface JacobianSpectrumOptions<State> extends TrajectoryOptions<State> {
  /** How many singular values, and how many eigenvalues; 1 unless given. */
  readonly count?: number;
  /** Looks at each `every`-th step, from the first; 1 unless given. */
  readonly every?: number;
  /**
   * `"dense"` decomposes the Jacobian, `"krylov"` needs only products with it; dense up to H = 64
   * unless given.
   */
  readonly method?: "dense" | "krylov";
  /**
   * Krylov: the largest residual, relative to the norm; 1e-8, and 1e-5 in float32, unless given.
   */
  readonly tolerance?: number;
  /** Krylov: the most vectors of a basis; 160 unless given. */
  readonly dimension?: number;
}

/** The spectrum of the Jacobian of a step: means over the rows that take it. */
export interface StepSpectrum {
  readonly t: number;
  /** The spectral norm: the largest singular value. */
  readonly norm: number;
  /** The spectral radius. */
  readonly radius: number;
  /** The largest singular values, largest first. */
  readonly singularValues: readonly number[];
  readonly rows: readonly RowSpectrum[];
}

/** The spectra of the Jacobians `dh_t / dh_{t-1}` along a trajectory. */
export interface JacobianSpectrum {
  /** H. */
  readonly size: number;
  readonly method: "dense" | "krylov";
  readonly steps: readonly StepSpectrum[];
}

/**
 * The largest singular values and eigenvalues of the Jacobians `dh_t / dh_{t-1}` along the
 * trajectories of a stream: the spectral norm bounds how much a gradient grows in a step, the
 * radius says what repeating the step does.
 *
 * Values of a step are means over the rows that take it; rows that are masked or reset there are
 * left out, and steps that no row takes. Small Jacobians are decomposed: one costs H pulls and
 * about `40 H^3` multiplications a row. Others are met in products alone, by the methods of Golub
 * and Kahan (1965) and Arnoldi (1951), which costs up to `dimension` pulls and two times as many
 * pushes, and `6 H dimension^2` multiplications a row. They list a multiple value perhaps fewer
 * times than it occurs, and say how far from exact they are: `residual`.
 *
 * @param stream steps `{ input }` or `{ inputs: [T, B, I] }`; targets are not read
 * @throws for a count above H, states or derivatives that are not finite, dense matrices above 1
 *   GiB, and what `lyapunovSpectrum` refuses of a stream
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 * import { init } from "@chronograd/nn";
 * import { defineCell } from "@chronograd/rnn";
 * import { jacobianSpectrum } from "@chronograd/rnn/flow";
 *
 * const linear = defineCell({
 *   params: () => ({ A: init.zeros(2, 2) }),
 *   state: () => ({ h: init.zeros(2) }),
 *   step: ({ A }, x, { h }) => {
 *     const next = h.matmul(A).add(x);
 *     return [next, { h: next }];
 *   },
 * })({ input: 2, hidden: 2 });
 * const A = tensor([[0, 2], [-0.5, 0]]);
 * const { steps } = jacobianSpectrum(linear, { A }, { inputs: zeros([1, 1, 2]) }, { count: 2 });
 * steps[0]!.singularValues; // => [2, 0.5]
 * steps[0]!.radius; // => 1
 * ```
 */
export function jacobianSpectrum<Params, State, X>(
  cell: Cell<Params, State, X, unknown>,
  params: Values<Params>,
  stream: FlowSource<X>,
  options: JacobianSpectrumOptions<State> = {},
): JacobianSpectrum {
  const where = "jacobianSpectrum";
  const known = ["count", "every", "method", "tolerance", "dimension", "state", "rng"];
  checkOptions(where, options, known);
  const { count = 1, every = 1, method: asked, tolerance: given, dimension = 160 } = options;
  checkCount(where, "every", every, 1);
  if (asked !== undefined) checkChoice(where, "method", asked, ["dense", "krylov"]);
  checkTolerance(where, given);
  return withTrajectory(where, cell, params, stream, options, (trajectory) => {
    const transitionAt = ({ step, before }: (typeof trajectory)[number]) =>
      new Transition(cell, params, step, before) as unknown as Step;
    const { rows: B, size: H, before } = transitionAt(trajectory[0]!);
    checkCount(where, "count", count, 1, H);
    checkCount(where, "dimension", dimension, count);
    const method = asked ?? (H <= 64 ? "dense" : "krylov");
    const tolerance = given ?? (before.dtype === "float64" ? 1e-8 : 1e-5);
    if (method === "dense") {
      const what = `the Jacobians [${B}, ${H}, ${H}] of a step`;
      checkBytes(where, what, 8 * B * H * H, 'ask for method: "krylov"');
    } else {
      const bases = `the bases of ${B} rows with ${H} numbers`;
      checkBytes(where, bases, 24 * B * H * Math.min(H, dimension), "ask for a smaller dimension");
    }
    const steps: StepSpectrum[] = [];
    for (const each of trajectory) {
      checkFiniteState(where, each.t, each.after);
      const courses = coursesOf(each.step, B);
      const taking = courses.flatMap((course, row) => (course === "step" ? [row] : []));
      if ((each.t - 1) % every !== 0 || taking.length === 0) continue;
      const transition = transitionAt(each);
      const rows = scope(() =>
        method === "dense"
          ? denseSpectra(where, each.t, transition, taking, count)
          : krylovSpectra(where, each.t, transition, taking, { count, tolerance, dimension }),
      );
      steps.push({ t: each.t, ...meansOf(rows), rows });
    }
    if (steps.length === 0) {
      throw new RangeError(
        `${where}: no row takes one of the ${trajectory.length} steps, each is reset or masked; give steps that go on from the state before`,
      );
    }
    return { size: H, method, steps };
  });
}

function checkTolerance(where: string, tolerance: unknown): void {
  if (tolerance === undefined) return;
  if (typeof tolerance === "number" && tolerance > 0 && tolerance < 1) return;
  throw new RangeError(
    `${where}: tolerance must be a number between 0 and 1, a residual relative to the norm, got ${textOf(tolerance)}`,
  );
}

function meansOf(rows: readonly RowSpectrum[]): Omit<StepSpectrum, "t" | "rows"> {
  const mean = (of: (row: RowSpectrum) => number) =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const [first] = rows as [RowSpectrum];
  const singularValues = first.singularValues.map((_, i) => mean((row) => row.singularValues[i]!));
  return { norm: singularValues[0]!, radius: mean(({ radius }) => radius), singularValues };
}
