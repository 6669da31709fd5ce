import type { Shape } from "@chronograd/autodiff";
import { textOf } from "../checkDefinition.ts";
import type { Noise } from "../sequences/noise.ts";

/** Noise whose elements are `drawn` with probability `rate`, and `other` else. */
export function bernoulli(
  rate: number,
  [drawn, other]: readonly [drawn: number, other: number],
  noise: Pick<Noise, "shape" | "per" | "rows">,
): Noise {
  const size = noise.shape.reduce((a, b) => a * b, 1);
  // As in `dropout`: 32 random bits, as a number, are below this.
  const threshold = rate * 2 ** 32;
  return {
    ...noise,
    draw: (rng) =>
      Float64Array.from({ length: size }, () => (rng.bits() < threshold ? drawn : other)),
  };
}

/**
 * A mask that drops: 0 with probability `rate`, else `1 / (1 - rate)`, so that the expected value
 * of what it multiplies stays. `undefined` where nothing is dropped.
 */
export function dropMask(
  rate: number,
  shape: Shape,
  per: Noise["per"],
  rows = true,
): Noise | undefined {
  return rate === 0 ? undefined : bernoulli(rate, [0, 1 / (1 - rate)], { shape, per, rows });
}

/** Throws a sentence unless a rate is a number from 0 to 1; 1 itself only where `most` says so. */
export function checkRate(where: string, name: string, rate: unknown, most?: 1): void {
  const isRight = typeof rate === "number" && rate >= 0 && (rate < 1 || rate === most);
  if (isRight) return;
  throw new RangeError(
    `${where}: ${name} must be at least 0 and ${most === 1 ? "at most" : "below"} 1, got ${textOf(rate)}`,
  );
}
