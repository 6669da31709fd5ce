import type { Decay } from "./decay.ts";

/** How many steps hold a share of the gradient's mass. */
export interface Reach {
  readonly share: number;
  /**
   * The fewest steps k whose lags 0 ... k - 1 hold the share: what a truncation to `k2 = k` steps
   * keeps. `null` where they are more than `lags + 1`, or the tail is not known.
   */
  readonly steps: number | null;
}

/** The shares that are asked for. */
const shares = [0.5, 0.9, 0.99];

/**
 * The mass that is estimated to lie above the last lag, `mean[last] rate / (1 - rate)`; 0 where no
 * state is further back, `null` where no decay is known.
 */
export function tailOf(
  mean: readonly number[],
  decay: Decay | null,
  goesOn: boolean,
): number | null {
  const last = mean.at(-1)!;
  if (!goesOn || last === 0) return 0;
  if (decay === null || decay.rate >= 1) return null;
  return (last * decay.rate) / (1 - decay.rate);
}

/**
 * How far back the mass lies. The mass at a lag is the mean norm there: by the triangle inequality
 * what a truncation leaves out is at most the mass of the lags it leaves out, times the largest
 * `|dh / dtheta|` of one step (Aicher, Foti & Fox 2019).
 *
 * @param tail the mass at the lags above, `null` where it is not known
 */
export function reachOf(mean: readonly number[], tail: number | null): Reach[] {
  const total = mean.reduce((a, b) => a + b, tail ?? 0);
  return shares.map((share) => {
    let [sum, steps] = [0, 0];
    while (steps < mean.length && sum < share * total) sum += mean[steps++]!;
    const isHeld = tail !== null && sum >= share * total;
    return { share, steps: isHeld ? steps : null };
  });
}
