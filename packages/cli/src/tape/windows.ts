/** A window of truncated back-propagation: the steps after `start`, up to `end`. */
export interface WindowSpan {
  /** Counted from 1. */
  readonly number: number;
  /** The state after this step is held constant; 0 where nothing is cut. */
  readonly start: number;
  /** The steps after this one are new. */
  readonly newFrom: number;
  readonly end: number;
}

/** The windows over `steps` steps: e_j = min(j k1, T), s_j = max(0, e_j - k2). */
export function windowSpans(steps: number, k1: number, k2: number): WindowSpan[] {
  const spans: WindowSpan[] = [];
  for (let newFrom = 0; newFrom < steps; newFrom += k1) {
    const end = Math.min(newFrom + k1, steps);
    spans.push({ number: spans.length + 1, start: Math.max(0, end - k2), newFrom, end });
  }
  return spans;
}
