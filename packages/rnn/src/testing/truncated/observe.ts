import { type Tensor, tree } from "@chronograd/autodiff";
import { applyUpdates } from "@chronograd/nn";
import type { TruncatedOptions } from "../../truncated/options.ts";
import type { Window } from "../../truncated/window.ts";
import type { Setting } from "./definition.ts";
import type { Experiment } from "./experiment.ts";
import type { CheckedWindow, WindowsFunction } from "./options.ts";

/** What a window said, in numbers. */
export interface Observed extends Partial<Pick<Window<never, never>, "start" | "newFrom" | "end">> {
  readonly gradients: ReadonlyMap<string, Float64Array>;
  readonly losses?: readonly number[];
}

/** All windows of a stream, or those until something was thrown. */
export interface Observation {
  readonly windows: readonly Observed[];
  readonly threw?: string;
}

/**
 * Runs what is to be checked, with an update after each window: so there are weights of several ages, and each
 * window's are known beforehand.
 */
export function observe(
  windows: WindowsFunction<unknown, unknown, unknown, unknown, unknown>,
  { model, steps, state, loss, generations }: Experiment,
  setting: Setting,
  cuts: Pick<TruncatedOptions<unknown>, "k1" | "k2" | "compile">,
  updates: readonly unknown[],
): Observation {
  const found: Observed[] = [];
  let params = tree.map(generations[0], (x: Tensor) => x.clone());
  const options = { ...setting, ...cuts, loss, state: tree.map(state, (x: Tensor) => x.clone()) };
  try {
    for (const window of windows(model, () => params, [...steps], options)) {
      found.push(numbersOf(window));
      const update = updates[found.length - 1];
      // More windows than there should be: enough is known.
      if (update === undefined) break;
      params = applyUpdates(params, update);
    }
  } catch (error) {
    return { windows: found, threw: error instanceof Error ? error.message : String(error) };
  }
  return { windows: found };
}

function numbersOf({ gradients, losses, start, newFrom, end }: CheckedWindow): Observed {
  const numbers = tree
    .leavesWithPath(gradients)
    .flatMap(([path, g]) =>
      g.dtype === "int32" ? [] : [[path, Float64Array.from(g.toTypedArray())] as const],
    );
  return {
    gradients: new Map(numbers),
    ...(losses !== undefined && { losses: [...losses] }),
    ...(start !== undefined && { start }),
    ...(newFrom !== undefined && { newFrom }),
    ...(end !== undefined && { end }),
  };
}
