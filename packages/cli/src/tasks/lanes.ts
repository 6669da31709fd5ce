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
