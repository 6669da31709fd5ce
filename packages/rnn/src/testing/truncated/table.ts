import type { Ages, Part } from "./definition.ts";
import type { Direction } from "./directions.ts";
import type { Experiment } from "./experiment.ts";

/** How much of the loss of step `t` by the weights of step `tau` is in a gradient. */
export type Coefficients = (tau: number, t: number) => number;

/** Along one direction each: derivatives of a gradient or an objective. */
export type Numbers = readonly number[];

const h = 4e-3;

/**
 * The contribution of every time step's weights to every loss, along some directions: the derivative of l_t when the
 * weights move at step tau alone and the state runs freely. Every truncation is a choice among them.
 */
export class Table {
  /** By direction, then tau, then t. */
  readonly #slopes: readonly (readonly Float64Array[])[];

  constructor(experiment: Experiment, ages: Ages, end: number, directions: readonly Direction[]) {
    this.#slopes = directions.map((v) =>
      Array.from({ length: end + 1 }, (_, tau) => {
        if (tau === 0) return new Float64Array(end + 1);
        return experiment.slopes(ages, { first: tau, last: tau, end }, v, h).values;
      }),
    );
  }

  /** The contributions up to step `end`, each as often as the coefficients say, along every direction. */
  sum(coefficients: Coefficients, end: number): Numbers {
    return this.#slopes.map((slopes) => {
      let sum = 0;
      for (let tau = 1; tau <= end; tau++) {
        for (let t = tau; t <= end; t++) {
          const often = coefficients(tau, t);
          if (often !== 0) sum += often * slopes[tau]![t]!;
        }
      }
      return sum;
    });
  }
}

/** The coefficients of an objective: each part's losses, by the weights of the steps after its cut. */
export function coefficientsOf(parts: readonly Part[]): Coefficients {
  return (tau, t) => {
    let often = 0;
    for (const { start, end, weights } of parts) {
      if (tau > start && t <= end) often += weights[t]!;
    }
    return often;
  };
}

/** The derivative of an objective whose steps run with weights of other ages, along every direction. */
export function withAges(
  experiment: Experiment,
  ages: Ages,
  parts: readonly Part[],
  directions: readonly Direction[],
): Numbers {
  return directions.map((v) => {
    let sum = 0;
    for (const { start, end, weights } of parts) {
      const { values } = experiment.slopes(ages, { first: start + 1, last: end, end }, v, h);
      for (const [t, weight] of weights.entries()) if (weight !== 0) sum += weight * values[t]!;
    }
    return sum;
  });
}
