/**
 * The one order in which shards and ranks are added up (Higham 1993, The accuracy of floating point
 * summation): of more than two parts, those before the largest power of two below their number are
 * added up first, then the others, then both sums; (a + b) + (c + d), (a + b) + c.
 *
 * Groups of 2^k neighbours, the last of which may be smaller, added up each and then together give
 * the same tree: so 8 shards have the same bits on 1, 2, 4 or 8 ranks.
 *
 * @param parts at least one
 * @param add may write into its first argument, as each part and each sum is an operand once
 */
export function pairwiseSum<T>(parts: readonly T[], add: (a: T, b: T) => T): T {
  const sums = [...parts];
  for (let width = 1; width < sums.length; width *= 2) {
    for (let i = 0; i + width < sums.length; i += 2 * width) {
      sums[i] = add(sums[i]!, sums[i + width]!);
    }
  }
  return sums[0]!;
}
