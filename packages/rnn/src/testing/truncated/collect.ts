import { type Tensor, tree } from "@chronograd/autodiff";
import { applyUpdates, rngFrom } from "@chronograd/nn";
import type { TruncatedOptions, TruncationOptions } from "../../truncated/options.ts";
import type { Setting } from "./definition.ts";
import type { Experiment } from "./experiment.ts";
import type { CheckedWindow, WindowsFunction } from "./options.ts";

/** What a window said, in numbers. */
export interface FoundWindow {
  readonly gradients: ReadonlyMap<string, Float64Array>;
  readonly losses: readonly number[] | undefined;
  readonly span: Pick<CheckedWindow, "start" | "newFrom" | "end">;
}

/** All windows of a stream, or those until something was thrown. */
export interface FoundWindows {
  readonly windows: readonly FoundWindow[];
  readonly threw?: string;
}

/**
 * Runs what is to be checked, with an update after each window: so there are weights of several
 * ages, and each window's are known beforehand.
 */
export function collectWindows(
  windows: WindowsFunction<unknown, unknown, unknown, unknown, unknown>,
  { model, steps, loss, generations }: Pick<Experiment, "model" | "steps" | "loss" | "generations">,
  setting: Setting,
  given: Pick<TruncationOptions, "k1" | "k2"> &
    Pick<TruncatedOptions<unknown>, "compile" | "burnIn" | "rng" | "state">,
  updates: readonly unknown[],
): FoundWindows {
  const found: FoundWindow[] = [];
  let params = tree.map(generations[0], (x: Tensor) => x.clone());
  const { rng, state, ...cuts } = given;
  const options = {
    ...setting,
    ...cuts,
    loss,
    rng: rng ? rngFrom(rng.getState()) : null,
    ...(state !== undefined && { state: tree.map(state, (x: Tensor) => x.clone()) }),
  };
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

function numbersOf({ gradients, losses, start, newFrom, end }: CheckedWindow): FoundWindow {
  const numbers = tree
    .leavesWithPath(gradients)
    .filter(([, g]) => g.dtype !== "int32")
    .map(([path, g]) => [path, Float64Array.from(g.toTypedArray())] as const);
  return {
    gradients: new Map(numbers),
    losses: losses && [...losses],
    span: { start, newFrom, end } as FoundWindow["span"],
  };
}
