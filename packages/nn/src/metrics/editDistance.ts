import { shown } from "../checks.ts";

/**
 * The fewest insertions, deletions and substitutions of symbols that make one sequence the other
 * (Levenshtein 1966, Binary codes capable of correcting deletions, insertions and reversals).
 *
 * @param a symbols that are compared by `Object.is`; the characters of a text are its code points
 * @throws for what is no sequence
 *
 * @example
 * ```ts
 * import { editDistance } from "@chronograd/nn/metrics";
 *
 * editDistance("kitten", "sitting"); // => 3
 * editDistance([1, 2, 3], [2, 3]); // => 1
 * ```
 */
export function editDistance<S>(a: Iterable<S>, b: Iterable<S>): number {
  const [rows, columns] = [symbolsOf(a, "first"), symbolsOf(b, "second")];
  // Distances from the first i symbols of `a` to the first j of `b` (Wagner & Fischer 1974).
  let above = Uint32Array.from({ length: columns.length + 1 }, (_, j) => j);
  let row = new Uint32Array(columns.length + 1);
  for (const [i, symbol] of rows.entries()) {
    row[0] = i + 1;
    for (const [j, other] of columns.entries()) {
      const changed = above[j]! + (Object.is(symbol, other) ? 0 : 1);
      row[j + 1] = Math.min(changed, above[j + 1]! + 1, row[j]! + 1);
    }
    [above, row] = [row, above];
  }
  return above[columns.length]!;
}

function symbolsOf<S>(sequence: Iterable<S>, which: string): S[] {
  if (typeof sequence?.[Symbol.iterator] === "function") return Array.from(sequence);
  throw new TypeError(
    `editDistance: the ${which} argument must be a text or an array of symbols, got ${shown(sequence)}`,
  );
}
