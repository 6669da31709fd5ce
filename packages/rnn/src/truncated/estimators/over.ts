import type { Cell, Values } from "../../cell.ts";
import type { TruncatedSettings } from "../options.ts";
import type { Source } from "../source.ts";
import type { LocalWindows } from "./estimator.ts";

/** No windows: the stream goes on from its last one, which was shorter than k1, or the only one. */
export function* over<Params, State, X, Y, Target>(
  _cell: Cell<Params, State, X, Y>,
  _params: () => Values<Params>,
  source: Source<X, Target>,
  { where, resumed }: TruncatedSettings<State, Y, Target>,
): LocalWindows<Params, State> {
  if ((yield* source.peek()) === undefined) return;
  throw new RangeError(
    `${where}: the live window to resume ended its stream at step ${resumed!.end}, and now there are further steps; begin another stream from its state, with { state: window.state }`,
  );
}
