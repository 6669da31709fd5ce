import type { TrainOptions } from "./options.ts";

/** How far a run is: windows that are done, and the share of all of the training, from 0 to 1. */
export interface Progression {
  readonly windows: number;
  readonly share: number;
}

/**
 * The learning rate of the next window: it rises in a line over the first windows, and falls in a
 * line to 0 over the last part of the run (trapezoidal; Defazio et al. 2024, Optimal linear decay
 * learning rate schedules and further refinements).
 */
export function learningRate(
  { lr, warmup, decay }: Pick<TrainOptions, "lr" | "warmup" | "decay">,
  { windows, share }: Progression,
): number {
  const rise = warmup === 0 ? 1 : Math.min(1, (windows + 1) / warmup);
  const fall = decay === 0 ? 1 : Math.min(1, Math.max(0, 1 - share) / decay);
  return lr * rise * fall;
}
