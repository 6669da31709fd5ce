import type { Cell, Values } from "../cell.ts";
import { checkFiniteState } from "./checks.ts";
import {
  type FlowSource,
  type TrajectoryOptions,
  type TrajectoryStep,
  withTrajectory,
} from "./trajectory.ts";

/**
 * `withTrajectory` for what goes through losses from the last to the first: where one is refused
 * after a state that is not finite, the sentence names the first such state.
 */
export function withLosses<Params, State, X, Target, T>(
  where: string,
  cell: Cell<Params, State, X, unknown>,
  params: Values<Params>,
  stream: FlowSource<X, Target>,
  options: TrajectoryOptions<State>,
  use: (trajectory: readonly TrajectoryStep<State, X, Target>[]) => T,
  k1?: number,
): T {
  const first = (trajectory: readonly TrajectoryStep<State, X, Target>[]) => {
    try {
      return use(trajectory);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      for (const { t, after } of trajectory) checkFiniteState(where, t, after);
      throw error;
    }
  };
  return withTrajectory(where, cell, params, stream, options, first, k1);
}
