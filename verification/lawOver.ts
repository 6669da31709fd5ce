import { scope } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { Tally } from "./tally.ts";

/**
 * A law that is measured on several draws for each seed, the worst of which counts; what a draw
 * makes is gone when it was measured.
 */
export function lawOver(
  draws: number,
  name: string,
  statement: string,
  bound: number,
  measure: (seed: number, tally: Tally) => void,
): Law {
  return {
    name,
    statement,
    bound,
    measure(seed) {
      const tally = new Tally();
      for (let draw = 0; draw < draws; draw++) scope(() => measure(draws * seed + draw, tally));
      return tally;
    },
  };
}
