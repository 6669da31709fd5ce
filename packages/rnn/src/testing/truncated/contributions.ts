import type { Ages, Part } from "./definition.ts";
import type { Direction } from "./directions.ts";
import type { Experiment } from "./experiment.ts";

/** How much of the loss of step `t` by the weights of step `tau` is in a gradient. */
export type Coefficients = (tau: number, t: number) => number;

/** Along one direction each: derivatives of a gradient or an objective. */
export type Numbers = readonly number[];

/**
 * What the weights of each time step contribute to every loss up to step `end`, along some
 * directions: the derivative of l_t when the weights move at step tau alone and the state runs
 * freely. Every truncation is a choice among them.
 *
 * @returns their sum, each as often as its coefficient says, along every direction
 */
export function contributions(
  experiment: Experiment,
  ages: Ages,
  end: number,
  directions: readonly Direction[],
): (coefficients: Coefficients) => Numbers {
  const all = directions.map((direction) =>
    Array.from({ length: end }, (_, i) => {
      return experiment.slopes(ages, { first: i + 1, last: i + 1, end }, direction).values;
    }),
  );
  return (coefficients) =>
    all.map((slopes) => {
      let sum = 0;
      for (let tau = 1; tau <= end; tau++) {
        for (let t = tau; t <= end; t++) {
          const often = coefficients(tau, t);
          if (often !== 0) sum += often * slopes[tau - 1]![t]!;
        }
      }
      return sum;
    });
}

/**
 * The coefficients of an objective: each part's losses, by the weights of the steps after its cut.
 */
export function coefficientsOf(parts: readonly Part[]): Coefficients {
  return (tau, t) => {
    let often = 0;
    for (const { start, end, weights } of parts) {
      if (tau > start && t <= end) often += weights[t]!;
    }
    return often;
  };
}
