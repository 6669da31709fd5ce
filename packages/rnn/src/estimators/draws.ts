import type { Rng } from "@chronograd/nn";
import { textOf } from "../checkDefinition.ts";

/** Throws a sentence unless an estimator was given a generator to draw from. */
export function checkDraws(where: string, draws: Rng): void {
  const { bits, uniform } = (draws ?? {}) as Partial<Rng>;
  if (typeof bits === "function" && typeof uniform === "function") return;
  throw new TypeError(
    `${where}: draws must be a generator, as rng(1, "draws") gives, got ${textOf(draws)}; the estimator draws from it, and the model's noise from rng`,
  );
}
