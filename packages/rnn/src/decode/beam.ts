import type { Hypothesis } from "./hypothesis.ts";
import { largestLogit } from "./logits.ts";

/** A hypothesis that goes on. */
interface Live {
  readonly tokens: readonly number[];
  readonly logProbability: number;
}

/** A live hypothesis and a token after it. */
interface Candidate {
  /** Index of the hypothesis. */
  readonly parent: number;
  readonly token: number;
  readonly logProbability: number;
}

/** What all beams of a search have in common. */
export interface BeamRule {
  readonly where: string;
  readonly width: number;
  readonly end: number | undefined;
  /** What log-probabilities are divided by, at the index of the length; the last is the longest. */
  readonly divisors: readonly number[];
}

/** The hypotheses of one example, the best first. */
export class Beam {
  readonly #rule: BeamRule;
  #live: readonly Live[] = [{ tokens: [], logProbability: 0 }];
  #ended: Hypothesis[] = [];

  constructor(rule: BeamRule) {
    this.#rule = rule;
  }

  get isOver(): boolean {
    return this.#live.length === 0;
  }

  /**
   * Goes on by one token: of all tokens after all live hypotheses the `width` likeliest are kept,
   * and those that end leave the live ones.
   *
   * @param logitsOf the logits of a live hypothesis
   * @returns where each live hypothesis came from, and its token
   */
  advance(logitsOf: (hypothesis: number) => ArrayLike<number>): readonly Candidate[] {
    const { end, divisors, width } = this.#rule;
    const before = this.#live;
    const kept = this.#likeliest(logitsOf);
    const extended = ({ parent, token }: Candidate) => [...before[parent]!.tokens, token];
    const length = before[0]!.tokens.length + 1;
    for (const { parent, token, logProbability } of kept) {
      if (token !== end) continue;
      const { tokens } = before[parent]!;
      const score = logProbability / divisors[length]!;
      this.#ended.push({ tokens, logProbability, score, ended: true });
    }
    // Sorting keeps the order of equal ones: the one that ended first.
    this.#ended = this.#ended.sort((a, b) => b.score - a.score).slice(0, width);
    const alive = kept.filter(({ token }) => token !== end);
    const isDecided = alive.length > 0 && !this.#canImprove(alive[0]!.logProbability, length);
    const going = isDecided ? [] : alive;
    this.#live = going.map((each) => ({
      tokens: extended(each),
      logProbability: each.logProbability,
    }));
    return going;
  }

  /** The hypotheses that ended, and those that did not come to an end. */
  finished(): Hypothesis[] {
    const { divisors, width } = this.#rule;
    const open = this.#live.map(({ tokens, logProbability }) => ({
      tokens,
      logProbability,
      score: logProbability / divisors[tokens.length]!,
      ended: false,
    }));
    return [...this.#ended, ...open].sort((a, b) => b.score - a.score).slice(0, width);
  }

  /**
   * Whether a live hypothesis can still come among the best: its log-probability only falls, so its
   * score is at most that of today over the largest divisor to come.
   */
  #canImprove(logProbability: number, length: number): boolean {
    const { divisors, width } = this.#rule;
    if (this.#ended.length < width) return true;
    const bound = logProbability / Math.max(...divisors.slice(length));
    return bound > this.#ended.at(-1)!.score;
  }

  /** The `width` likeliest candidates, the likeliest first; of equal ones the first. */
  #likeliest(logitsOf: (hypothesis: number) => ArrayLike<number>): Candidate[] {
    const { where, width } = this.#rule;
    const best: Candidate[] = [];
    for (const [parent, { logProbability: before }] of this.#live.entries()) {
      const logits = logitsOf(parent);
      const largest = largestLogit(where, parent, logits);
      let sum = 0;
      for (let token = 0; token < logits.length; token++) sum += Math.exp(logits[token]! - largest);
      const logSum = Math.log(sum);
      for (let token = 0; token < logits.length; token++) {
        const logProbability = before + (logits[token]! - largest - logSum);
        const least = best.length < width ? -Infinity : best.at(-1)!.logProbability;
        if (!(logProbability > least)) continue;
        if (best.length === width) best.pop();
        best.splice(placeOf(logProbability, best), 0, { parent, token, logProbability });
      }
    }
    return best;
  }
}

/** Behind all candidates that are at least as likely. */
function placeOf(logProbability: number, best: readonly Candidate[]): number {
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (best[middle]!.logProbability >= logProbability) low = middle + 1;
    else high = middle;
  }
  return low;
}
