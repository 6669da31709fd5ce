import type { Losses, LossReduction, Stale } from "../../truncated/options.ts";

/** A window (s_j, e_j], whose new steps come after e_{j-1}. */
export interface Span {
  readonly index: number;
  /** s_j: steps before the state that is held constant. */
  readonly start: number;
  /** e_{j-1} */
  readonly newFrom: number;
  /** e_j */
  readonly end: number;
}

/** How windows are swept, apart from where they lie. */
export interface Setting {
  readonly stale: Stale;
  readonly losses: Losses;
  readonly multiplicity: boolean;
  readonly reduction: LossReduction;
}

/** Where a stream is cut. */
export interface Cuts {
  readonly steps: number;
  /** Steps before the first window, which run with the first weights and have no losses. */
  readonly burnIn: number;
  readonly k1: number;
  readonly k2: number;
}

/**
 * A term of an objective: `sum over t of weights[t] l_t`, with the state after step `start` held
 * constant and steps up to `end` run.
 */
export interface Part {
  readonly start: number;
  readonly end: number;
  /** By time step, from 1; 0 where a loss does not count. */
  readonly weights: Float64Array;
}

/**
 * The windows of a stream: e_j = min(j k1, T), s_j = max(0, e_j - k2), counted after the burn-in.
 */
export function spansOf({ steps, k1, k2, burnIn }: Cuts): Span[] {
  const spans: Span[] = [];
  for (let newFrom = burnIn; newFrom < steps; ) {
    const end = Math.min(newFrom + k1, steps);
    spans.push({ index: spans.length, start: Math.max(burnIn, end - k2), newFrom, end });
    newFrom = end;
  }
  return spans;
}

/** In how many windows of an endless stream step `t` lies: counted, one by one. */
export function windowsWith(t: number, { k1, k2 }: Pick<Cuts, "k1" | "k2">): number {
  let count = 0;
  for (let end = k1; end - k2 < t; end += k1) if (end >= t) count++;
  return count;
}

/** The objective of one window before any mean, and its count of tokens. */
function objectiveOf(
  { start, newFrom, end }: Span,
  { losses, multiplicity }: Setting,
  cuts: Cuts,
  counts: ArrayLike<number>,
): { part: Part; count: number } {
  const weights = new Float64Array(cuts.steps + 1);
  let count = 0;
  for (let t = start + 1; t <= end; t++) {
    const isIn = losses === "window" || (losses === "new" ? t > newFrom : t === end);
    if (!isIn) continue;
    weights[t] = multiplicity ? 1 / windowsWith(t - cuts.burnIn, cuts) : 1;
    count += counts[t]!;
  }
  return { part: { start, end, weights }, count };
}

/**
 * What the yielded gradients are gradients of: for each, a sum of parts. One part for each window;
 * with `"defer"` one gradient, of all windows together.
 */
export function objectivesOf(setting: Setting, cuts: Cuts, counts: ArrayLike<number>): Part[][] {
  const each = spansOf(cuts).map((span) => objectiveOf(span, setting, cuts, counts));
  const groups = setting.stale === "defer" ? [each] : each.map((one) => [one]);
  return groups.map((group) => {
    const total = group.reduce((sum, { count }) => sum + count, 0);
    const scale = setting.reduction === "sum" ? 1 : total === 0 ? 0 : 1 / total;
    return group.map(({ part }) => ({ ...part, weights: part.weights.map((w) => w * scale) }));
  });
}

/** Which generation of weights a step runs with. */
export type Ages = (t: number) => number;

/**
 * The weights that the steps of a window run with, counted in updates. `"carry"`: those of the time
 * when the step was new. `"recompute"`: today's in the window; before it, those of the latest
 * window that ran the step on the way to the stored state. `"defer"`: there is no update.
 */
export function agesOf(setting: Pick<Setting, "stale">, cuts: Cuts, window: number): Ages {
  if (setting.stale === "defer") return () => 0;
  if (setting.stale === "carry")
    return (t) => Math.max(0, Math.ceil((t - cuts.burnIn) / cuts.k1) - 1);
  const spans = spansOf(cuts);
  return (t) => {
    let latest = window;
    while (latest > 0 && spans[latest]!.start >= t) latest--;
    return latest;
  };
}

/** Every setting that the options leave open. */
export function settingsOf(given: Partial<Setting>, k2: number): Setting[] {
  const open = <T>(value: T | undefined, all: readonly T[]) =>
    value === undefined ? all : [value];
  const settings: Setting[] = [];
  for (const stale of open(given.stale, ["carry", "recompute", "defer"] as const)) {
    for (const losses of open(given.losses, ["new", "endpoint", "window"] as const)) {
      const isWeighted = losses === "window" && Number.isFinite(k2);
      for (const multiplicity of isWeighted ? open(given.multiplicity, [false, true]) : [false]) {
        for (const reduction of open(given.reduction, ["sum", "mean"] as const)) {
          settings.push({ stale, losses, multiplicity, reduction });
        }
      }
    }
  }
  return settings;
}
