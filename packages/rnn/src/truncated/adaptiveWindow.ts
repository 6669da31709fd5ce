import type { Losses, Stale } from "./options.ts";
import type { Term } from "./step.ts";

/**
 * Chooses k2 while a stream runs, from norms of gradients; `adaptive` of `@chronograd/rnn/flow`
 * makes one.
 */
export interface AdaptiveWindow {
  /** Steps that the stream keeps: the largest k2. */
  readonly most: number;
  /** Throws for settings with which k2 cannot change from window to window. */
  check(settings: { readonly where: string; readonly stale: Stale; readonly losses: Losses }): void;
  /**
   * How far the next window of k1 new steps reaches back: `most`, or a smaller multiple of k1.
   * Asked once for each window.
   */
  next(k1: number): number;
  /** Whether a window is measured. */
  isDue(window: number): boolean;
  /** Numbers of this worker's rows for a window whose new steps begin after step `newFrom`. */
  measure(engine: MeasuredEngine, newFrom: number): readonly number[];
  /** Takes the sum of those of all workers. */
  observe(squares: readonly number[]): void;
}

/** What a window is measured by: its steps, as `Engine` says. */
export interface MeasuredEngine {
  readonly start: number;
  readonly t: number;
  countAt(t: number): number;
  sweep(
    terms: readonly Term[],
    start: number,
    measure: boolean,
  ): { readonly squares?: readonly number[] };
}
