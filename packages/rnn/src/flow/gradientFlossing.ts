import { where as choose, stack, type Tensor, tensor } from "@chronograd/autodiff";
import { checkOptions, isTracing } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { Transition } from "../derivatives/transition.ts";
import { checkCount, checkFiniteState } from "./checks.ts";
import { directionDraws, fillOrthonormal } from "./orthonormal.ts";
import { coursesOf } from "./rowCourse.ts";
import { thinQr } from "./thinQr.ts";
import { type FlowSource, type TrajectoryOptions, withTrajectory } from "./trajectory.ts";

/** What `gradientFlossing` takes. */
export interface FlossingOptions<State> extends TrajectoryOptions<State> {
  /** K, how many of the largest exponents; 1 unless given. */
  readonly count?: number;
  /** What the exponents should be; 0 unless given. */
  readonly target?: number;
  /** Steps in which the directions turn to where they grow most; 0 unless given. */
  readonly warmUp?: number;
}

/**
 * A loss that keeps gradients from vanishing and exploding: the mean of `(lambda_i - target)^2`
 * over the K largest Lyapunov exponents of the steps of a stream, differentiated through the QR
 * decompositions that give them (gradient flossing, Engelken 2023). Add it to any loss, or train
 * with it alone before and between.
 *
 * Exponents are means over the rows and steps that go on, as in `lyapunovSpectrum`. What it costs
 * is about K times the step with its derivatives of first and second order; the tape holds all of
 * it until the sweep, so a stretch of some dozen steps is enough for one loss.
 *
 * @returns a scalar, tracked as the parameters are
 * @throws for a count above H, a stream with no step that is counted, a direction that is lost
 *   because the Jacobian is singular, and what `lyapunovSpectrum` refuses
 *
 * @example
 * ```ts
 * import { valueAndGrad, tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams, unroll } from "@chronograd/rnn";
 * import { gradientFlossing } from "@chronograd/rnn/flow";
 *
 * const cell = elman({ input: 2, hidden: 4 });
 * const params = initialParams(cell, rng(1));
 * const random = rng(2);
 * const inputs = tensor(Float32Array.from({ length: 20 }, () => random.normal()), { shape: [10, 1, 2] });
 * const loss = (p: typeof params) => {
 *   const { outputs } = unroll(cell, p, inputs);
 *   const flossing = gradientFlossing(cell, p, { inputs }, { count: 2 });
 *   return outputs.square().mean().add(flossing.mul(0.1));
 * };
 * const [value, gradient] = valueAndGrad(loss)(params);
 * value.item() > 0; // => true
 * Object.keys(gradient); // => ["W", "U", "b"]
 * ```
 */
export function gradientFlossing<Params, State, X>(
  cell: Cell<Params, State, X, unknown>,
  params: Values<Params>,
  stream: FlowSource<X>,
  options: FlossingOptions<State> = {},
): Tensor {
  const where = "gradientFlossing";
  checkOptions(where, options, ["count", "target", "warmUp", "state", "rng"]);
  const { count = 1, target = 0, warmUp = 0 } = options;
  checkCount(where, "warmUp", warmUp, 0);
  if (!Number.isFinite(target)) {
    throw new RangeError(
      `${where}: target must be a finite number, the exponent to come to, got ${String(target)}; 0 keeps gradients of their size`,
    );
  }
  return withTrajectory(where, cell, params, stream, options, (trajectory) => {
    const transitionAt = ({ step, before }: (typeof trajectory)[number]) =>
      new Transition(cell, params, step, before);
    const { rows: B, size: H, before } = transitionAt(trajectory[0]!);
    checkCount(where, "count", count, 1, H);
    const { dtype, backend } = before;
    const normals = Array.from({ length: B }, directionDraws);
    /** Directions of rows that begin, zeros in the others. */
    const beginnings = (begins: readonly boolean[]) => {
      const values = new Float64Array(count * B * H);
      for (const [row, normal] of normals.entries()) {
        if (!begins[row]) continue;
        fillOrthonormal({ values, offset: row * H, stride: B * H, count, size: H }, normal);
      }
      return tensor(values, { shape: [count, B, H], dtype, backend });
    };
    const ofRows = (marks: readonly boolean[]) =>
      tensor(Int32Array.from(marks, Number), { shape: [1, B, 1], backend });
    let directions = beginnings(new Array<boolean>(B).fill(true));
    const ages = new Array<number>(B).fill(0);
    let counted = 0;
    const terms: Tensor[] = [];
    for (const each of trajectory) {
      if (!isTracing()) checkFiniteState(where, each.t, each.after);
      const courses = coursesOf(each.step, B);
      if (courses.includes("reset")) {
        const isReset = courses.map((course) => course === "reset");
        directions = choose(ofRows(isReset), beginnings(isReset), directions);
        for (const [row, course] of courses.entries()) if (course === "reset") ages[row] = 0;
      }
      const takes = courses.map((course) => course === "step");
      if (!takes.includes(true)) continue;
      const pushed = transitionAt(each).push(directions);
      const { q, diagonal } = thinQr(choose(ofRows(takes), pushed, directions));
      checkLost(where, each.t, diagonal);
      directions = q;
      const counts = takes.map((take, row) => take && ages[row]!++ >= warmUp);
      if (!counts.includes(true)) continue;
      counted += counts.filter(Boolean).length;
      terms.push(choose(ofRows(counts).reshape([1, B]), diagonal.log(), 0).sum(1));
    }
    if (counted === 0) {
      throw new RangeError(
        `${where}: no row goes on for ${warmUp + 1} ${warmUp === 0 ? "step" : "steps"}, more than the warm-up of ${warmUp}, in a stream of ${trajectory.length}; give more steps, or a smaller warmUp`,
      );
    }
    const exponents = stack(terms).sum(0).div(counted);
    return exponents.sub(target).square().mean();
  });
}

/** Throws a sentence where a direction vanished at step `t`: its growth has no logarithm. */
function checkLost(where: string, t: number, diagonal: Tensor): void {
  if (isTracing()) return;
  for (const growth of diagonal.toTypedArray()) {
    if (growth > 0 && growth < Infinity) continue;
    throw new RangeError(
      Number.isFinite(growth)
        ? `${where}: a direction is lost at step ${t}, where the Jacobian is singular, and its exponent is -Infinity; ask for a smaller count, or use an activation whose derivative is not 0`
        : `${where}: the derivative of step ${t} by the state before it is not finite; a step needs derivatives along the whole trajectory`,
    );
  }
}
