/** A sequence that a beam search found. */
export interface Hypothesis {
  /** Without `start` and `end`. */
  readonly tokens: readonly number[];
  /** Logarithm of the probability of its tokens, and of `end` where it ended. */
  readonly logProbability: number;
  /** What hypotheses are ranked by: `logProbability`, divided by the length penalty. */
  readonly score: number;
  /** Whether `end` came before the search was over. */
  readonly ended: boolean;
}
