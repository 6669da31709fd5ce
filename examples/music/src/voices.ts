import type { Rng } from "@chronograd/nn";

/**
 * Draws which keys sound when each does so independently, given that `count` of them do: a
 * conditional Bernoulli draw (Chen, Dempster & Liu 1994).
 *
 * @param probabilities of each key, not 1
 * @returns the keys, ascending, and the logarithm of the probability that it is so many
 */
export function drawVoices(
  probabilities: ArrayLike<number>,
  count: number,
  random: Rng,
): { readonly drawn: readonly number[]; readonly logProbability: number } {
  const odds = Array.from(probabilities, (p) => p / (1 - p));
  // sums[i][j]: over all choices of j among the first i keys, the sum of the products of their
  // odds.
  const sums = [[1, ...Array<number>(count).fill(0)]];
  for (const odd of odds) {
    const before = sums.at(-1)!;
    sums.push(before.map((sum, j) => sum + (j === 0 ? 0 : odd * before[j - 1]!)));
  }
  const drawn: number[] = [];
  for (let key = odds.length - 1, left = count; left > 0; key--) {
    const [before, all] = [sums[key]!, sums[key + 1]!];
    if (random.uniform() * all[left]! >= odds[key]! * before[left - 1]!) continue;
    drawn.unshift(key);
    left--;
  }
  const none = odds.reduce((sum, odd) => sum - Math.log1p(odd), 0);
  return { drawn, logProbability: none + Math.log(sums.at(-1)![count]!) };
}
