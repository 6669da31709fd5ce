// A stream that stopped, with its live window.
import { type Tensor, tree } from "@chronograd/autodiff";
import { applyUpdates } from "@chronograd/nn";
import { truncated } from "../../src/index.ts";
import { filed } from "./interrupted.ts";
import { type AnyParams, problem } from "./setup.ts";

/** The live window after some windows of a run, and what it came from. */
export function liveOf(options: object = {}, index = 3) {
  const { cell, params, steps, loss } = problem("lstm", 12, 1);
  let present = tree.map(params, (x: Tensor) => x.clone()) as AnyParams;
  const all = { k1: 2, k2: 5, loss, ...options };
  for (const window of truncated(cell, present, steps, all)) {
    present = applyUpdates(
      present,
      tree.map(window.gradients, (g: Tensor) => g.mul(-0.05)) as AnyParams,
    ) as AnyParams;
    if (window.index < index) continue;
    return { cell, params: present, rest: steps.slice(window.end), all, live: filed(window.live) };
  }
  throw new Error("there is no such window");
}

/** What is thrown. */
export function message(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  return "nothing was said";
}
