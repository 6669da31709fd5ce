import type { Hypothesis } from "./hypothesis.ts";
import type { Divisors } from "./lengthPenalty.ts";
import { largestLogit } from "./logits.ts";

/** A hypothesis as its last token and the hypothesis before it: none is copied when it goes on. */
interface Node {
  readonly before: Node | null;
  readonly token: number;
  readonly length: number;
  readonly logProbability: number;
}

const nothing: Node = { before: null, token: -1, length: 0, logProbability: 0 };

function tokensOf(node: Node): number[] {
  const tokens = new Array<number>(node.length);
  for (let at = node; at.before !== null; at = at.before) tokens[at.length - 1] = at.token;
  return tokens;
}

/** A hypothesis that is over, with or without an end. */
interface Ranked {
  readonly node: Node;
  readonly logProbability: number;
  readonly score: number;
  readonly ended: boolean;
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
  readonly divisors: Divisors;
}

/** The hypotheses of one example, the best first. */
export class Beam {
  readonly #rule: BeamRule;
  #live: readonly Node[] = [nothing];
  #ended: Ranked[] = [];

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
    const length = before[0]!.length + 1;
    for (const { parent, token, logProbability } of kept) {
      if (token !== end) continue;
      const score = logProbability / divisors.of[length]!;
      this.#ended.push({ node: before[parent]!, logProbability, score, ended: true });
    }
    this.#ended = best(this.#ended, width);
    const alive = kept.filter(({ token }) => token !== end);
    const isDecided = alive.length > 0 && !this.#canImprove(alive[0]!.logProbability, length);
    const going = isDecided ? [] : alive;
    this.#live = going.map(({ parent, token, logProbability }) => {
      return { before: before[parent]!, token, length, logProbability };
    });
    return going;
  }

  /** The hypotheses that ended, and those that did not come to an end. */
  finished(): Hypothesis[] {
    const { divisors, width } = this.#rule;
    const open = this.#live.map((node): Ranked => {
      const { logProbability, length } = node;
      return { node, logProbability, score: logProbability / divisors.of[length]!, ended: false };
    });
    return best([...this.#ended, ...open], width).map(({ node, ...rest }) => {
      return { tokens: tokensOf(node), ...rest };
    });
  }

  /**
   * Whether a live hypothesis can still come among the best: its log-probability only falls, so its
   * score is at most that of today over the largest divisor to come.
   */
  #canImprove(logProbability: number, length: number): boolean {
    const { divisors, width } = this.#rule;
    if (this.#ended.length < width) return true;
    const bound = logProbability / divisors.largestFrom[length]!;
    return bound > this.#ended.at(-1)!.score;
  }

  /** The `width` likeliest candidates, the likeliest first; of equal ones the first. */
  #likeliest(logitsOf: (hypothesis: number) => ArrayLike<number>): Candidate[] {
    const { where, width } = this.#rule;
    const found: Candidate[] = [];
    for (const [parent, { logProbability: before }] of this.#live.entries()) {
      const logits = logitsOf(parent);
      const largest = largestLogit(where, parent, logits);
      let sum = 0;
      for (let token = 0; token < logits.length; token++) sum += Math.exp(logits[token]! - largest);
      const logSum = Math.log(sum);
      for (let token = 0; token < logits.length; token++) {
        const logProbability = before + (logits[token]! - largest - logSum);
        const least = found.length < width ? -Infinity : found.at(-1)!.logProbability;
        if (!(logProbability > least)) continue;
        if (found.length === width) found.pop();
        found.splice(placeOf(logProbability, found), 0, { parent, token, logProbability });
      }
    }
    return found;
  }
}

/** The `count` of the largest scores; of equal ones the first. */
function best(list: readonly Ranked[], count: number): Ranked[] {
  return list.toSorted((a, b) => b.score - a.score).slice(0, count);
}

/** Behind all candidates that are at least as likely. */
function placeOf(logProbability: number, among: readonly Candidate[]): number {
  let low = 0;
  let high = among.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (among[middle]!.logProbability >= logProbability) low = middle + 1;
    else high = middle;
  }
  return low;
}
