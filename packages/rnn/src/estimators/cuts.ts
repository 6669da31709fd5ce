import { cast, customGradient, type Tensor, tree } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import { textOf } from "../checkDefinition.ts";

/** How likely a stream is cut after a step: at any step, or by the steps since the last cut. */
export type CutProbability = number | ((steps: number) => number);

/** Where windows end at random: one of `steps` and `probability`. */
export interface RandomCuts {
  /** The mean length of a window, above 1: the stream is cut after a step with `1 / steps`. */
  readonly steps?: number;
  /**
   * The probability of a cut after a step, between 0 and 1; or a function that gives it from the
   * steps since the last cut, 1 after the first step. It may give 0, and never 1.
   */
  readonly probability?: CutProbability;
}

/** The probability of a cut from the steps since the last one, checked whenever it is asked for. */
export function probabilityOf(
  where: string,
  { steps, probability }: RandomCuts,
): (since: number) => number {
  if ((steps === undefined) === (probability === undefined)) {
    throw new TypeError(
      `${where}: give steps, the mean length of a window, or the probability of a cut, got ${steps === undefined ? "neither" : "both"}`,
    );
  }
  if (steps !== undefined) {
    if (typeof steps === "number" && steps > 1 && steps < Infinity) return () => 1 / steps;
    throw new RangeError(
      `${where}: steps must be a mean length of windows above 1, and finite, got ${textOf(steps)}; one window for all steps is truncated with { k1: Infinity, k2: Infinity }`,
    );
  }
  if (typeof probability === "number" && probability > 0 && probability < 1) {
    return () => probability;
  }
  if (typeof probability !== "function") {
    throw new RangeError(
      `${where}: probability must be a number between 0 and 1, neither of them included, or a function of the steps since the last cut, got ${textOf(probability)}`,
    );
  }
  return (since) => {
    const found = probability(since);
    if (typeof found === "number" && found >= 0 && found < 1) return found;
    throw new RangeError(
      `${where}: the probability of a cut must be at least 0 and below 1, got ${textOf(found)} from probability(${since}); where a cut is certain, nothing can make up for what it leaves out`,
    );
  };
}

/**
 * What multiplies a gradient that would flow across a step: 0 where the stream is cut there, with
 * probability c, and otherwise 1 / (1 - c), so that the mean is 1.
 */
export function drawCredit(draws: Pick<Rng, "uniform">, c: number): number {
  return draws.uniform() < c ? 0 : 1 / (1 - c);
}

/** The same state, to which gradients come multiplied by a factor. */
export function withCredit<State>(state: State, credit: Tensor): State {
  const scale = customGradient(
    ({ x }: { x: Tensor; credit: Tensor }) => x,
    (g, { credit: factor }) => ({ x: g.mul(cast(factor, g.dtype)), credit: factor.mul(0) }),
  );
  return tree.map(state, (x: Tensor) => (x.dtype === "int32" ? x : scale({ x, credit }))) as State;
}
