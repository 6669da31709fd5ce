import type { Stretch } from "../training/task.ts";

/**
 * Positions of a stream that is read at `rows` evenly spaced places at once, one position a step,
 * without end: a place that reaches the start of the next place goes on there. Position
 * `length - 1` has nothing after it to be predicted, and is not read.
 *
 * @param step how many steps were before the first
 */
export function* lanes(length: number, rows: number, step = 0): Generator<readonly number[]> {
  const each = Math.floor((length - 1) / rows);
  for (let t = step; ; t++) {
    const turn = Math.floor(t / each);
    yield Array.from({ length: rows }, (_, row) => ((row + turn) % rows) * each + (t % each));
  }
}

/**
 * Positions of a stream that is read once, at up to `rows` evenly spaced places: as many as leave
 * `steps` steps to each, or one.
 */
export function* lanesOnce(length: number, { steps, rows }: Stretch): Generator<readonly number[]> {
  const places = Math.max(1, Math.min(rows, Math.floor((length - 1) / steps)));
  let left = Math.floor((length - 1) / places);
  for (const at of lanes(length, places)) {
    if (left-- === 0) return;
    yield at;
  }
}
