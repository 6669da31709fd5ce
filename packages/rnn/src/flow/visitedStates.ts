import { tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { rowsTree, rowsVector } from "../derivatives/vectors.ts";
import { checkCount, checkFiniteState } from "./checks.ts";
import { checkPresent } from "./presentRows.ts";
import { coursesOf } from "./rowCourse.ts";
import { type FlowSource, type TrajectoryOptions, withTrajectory } from "./trajectory.ts";

/** What `visitedStates` takes. */
export interface VisitedOptions<State> extends TrajectoryOptions<State> {
  /** The most states; 64 unless given. */
  readonly count?: number;
}

/**
 * States that a model visits on a stream, as many rows: where to start searches for its
 * `fixedPoints`.
 *
 * They are spread evenly over the steps and rows of the stream; masked rows are left out.
 *
 * @throws for states that are not finite, and what `lyapunovSpectrum` refuses of a stream
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 * import { fixedPoints, visitedStates } from "@chronograd/rnn/flow";
 *
 * const cell = gru({ input: 2, hidden: 4 });
 * const params = initialParams(cell, rng(1));
 * const starts = visitedStates(cell, params, { inputs: zeros([30, 3, 2]) }, { count: 10 });
 * starts.h.shape; // => [10, 4]
 * const { points } = fixedPoints(cell, params, { input: zeros([1, 2]), starts });
 * points.length; // => 1
 * ```
 */
export function visitedStates<Params, State, X>(
  cell: Cell<Params, State, X, unknown>,
  params: Values<Params>,
  stream: FlowSource<X>,
  options: VisitedOptions<State> = {},
): Values<State> {
  const where = "visitedStates";
  checkOptions(where, options, ["count", "state", "rng"]);
  const { count = 64 } = options;
  checkCount(where, "count", count, 1);
  return withTrajectory(where, cell, params, stream, options, (trajectory) => {
    const { after: first } = trajectory[0]!;
    checkPresent(where, trajectory, rowsVector(first).shape[0]!);
    const visited = trajectory.flatMap(({ t, step, after }) => {
      checkFiniteState(where, t, after);
      const vectors = rowsVector(after);
      const [B, H] = vectors.shape as [number, number];
      const values = vectors.toTypedArray();
      const courses = coursesOf(step, B);
      return courses.flatMap((course, row) => {
        return course === "masked" ? [] : [values.subarray(row * H, (row + 1) * H)];
      });
    });
    const kept = Math.min(count, visited.length);
    const chosen = Array.from({ length: kept }, (_, i) => {
      return visited[Math.floor(((i + 0.5) * visited.length) / kept)]!;
    });
    const { dtype, backend } = rowsVector(first);
    const values = Float64Array.from(chosen.flatMap((row) => Array.from(row)));
    const vectors = tensor(values, { shape: [kept, chosen[0]!.length], dtype, backend });
    return rowsTree(vectors, first) as unknown as Values<State>;
  });
}
