import { scope, Tape } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { findTensor } from "../findTensor.ts";
import { checkUnroll, prepared } from "../prepareUnroll.ts";
import { detached } from "../sequences/unrollSteps.ts";
import type { UnrollInputs, UnrollOptions } from "../unroll.ts";
import { costOf, keptOf } from "./kept.ts";
import { reversal } from "./reversal.ts";
import { apart, section, stepsOf } from "./sequence.ts";
import { burnInOf, chunked, loopSetup } from "./setup.ts";

/** What an `unroll` with `compile` or `memory` takes. */
export interface UnrollCost {
  /** T, but for the burn-in. */
  readonly steps: number;
  /** States that are kept, the first among them. */
  readonly states: number;
  /** The last steps, of which everything is kept that their gradient reads. */
  readonly recorded: number;
  /** Steps that run again for the gradient, each as often as it does. */
  readonly rerun: number;
  /** Kernel memory in bytes, from the call to the end of the sweep, at most. */
  readonly bytes: number;
  /** The smallest `memory: { bytes }` that is possible. */
  readonly least: number;
  /** How chunks of steps run, in words: their plans, and on how many threads. */
  readonly how: string;
}

/**
 * What `unroll` with the same arguments takes, without running it: how much memory at most, and how
 * many steps again. One chunk of steps is run and measured.
 *
 * @param params watched by a tape or not: gradients by them count always
 * @throws as `unroll` does
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm, unrollCost } from "@chronograd/rnn";
 *
 * const cell = lstm({ input: 1, hidden: 8 });
 * const params = initialParams(cell, rng(1));
 * const inputs = zeros([200, 1, 1]);
 * const all = unrollCost(cell, params, inputs, { memory: "all" });
 * [all.recorded, all.rerun]; // => [200, 0]
 * const few = unrollCost(cell, params, inputs, { memory: { steps: 10 } });
 * [few.states, few.recorded, few.rerun]; // => [10, 1, 522]
 * few.bytes < all.bytes / 5; // => true
 * ```
 */
export function unrollCost<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  inputs: UnrollInputs<X>,
  options: UnrollOptions<State> = {},
): UnrollCost {
  checkCell("unrollCost", cell, "step", "ask for the cost of each of its cells");
  checkUnroll(cell, options);
  return scope(() => {
    const isWatched = findTensor(params, ({ tape }) => tape !== null) !== undefined;
    const own = isWatched ? params : (new Tape().watch(params) as Values<Params>);
    const { all, run, loop: how } = prepared(cell, own, inputs, options);
    const [setup, whole] = loopSetup(cell, all, run, how);
    const late = { ...whole, ...section(whole, run.burnIn, stepsOf(all)) };
    const loop = chunked(setup, late);
    const { chunks } = loop;
    const given = apart(detached(late));
    const early = run.burnIn === 0 ? undefined : burnInOf(setup, whole, run);
    const cost = costOf(loop, given, early);
    const kept = keptOf(loop, given, early);
    const last = chunks.count - kept.runs;
    let ran = 0;
    for (const move of reversal(last + 1, kept.states)) {
      if (move.move === "advance") ran += chunks.stepsIn(move.from, move.to);
      if (move.move === "reverse" && move.at < last) ran += chunks.stepsIn(move.at, move.at + 1);
    }
    return {
      steps: chunks.steps,
      states: kept.states,
      recorded: chunks.stepsIn(last, chunks.count),
      // Each of them runs once for its value.
      rerun: ran - chunks.stepsIn(0, last),
      bytes: cost.bytes(kept),
      least: cost.least,
      how: loop.runner.explain(),
    };
  });
}
