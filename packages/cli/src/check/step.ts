import { tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { initialParams } from "@chronograd/rnn";
import { ownLine } from "../modules/place.ts";
import { type Examination, startOf } from "./examination.ts";

/** The places of a tree of tensors, in words. */
const namesOf = (nested: unknown): string =>
  tree
    .leavesWithPath(nested)
    .map(([path]) => path || "one tensor")
    .sort()
    .join(", ") || "no tensor";

/** What stands before all other laws: a step runs at all. */
export function stepLaw({ cell, batch, input }: Examination): Law {
  const once = (seed: number): void => {
    const params = initialParams(cell, rng(seed), { dtype: "float64" });
    const state = startOf(cell, params, batch);
    const result: unknown = cell.step(params, input(rng(seed, "input"), batch), state);
    if (!Array.isArray(result) || result.length !== 2) {
      throw new TypeError(`step must return [output, state], got ${typeof result}`);
    }
    const [before, after] = [namesOf(state), namesOf(result[1])];
    if (before === after) return;
    throw new TypeError(`the next state has ${after}, expected ${before} as in the state before`);
  };
  return {
    name: "step",
    statement: "a step takes parameters, input and state, and returns [output, state]",
    bound: 0,
    measure(seed) {
      try {
        once(seed);
        return { error: 0, cases: 1 };
      } catch (error) {
        const line = error instanceof Error ? ownLine(error) : undefined;
        const message = error instanceof Error ? error.message : String(error);
        const what = `${line === undefined ? "" : `${line}: `}${message}`;
        return { error: Infinity, cases: 1, what };
      }
    },
  };
}
