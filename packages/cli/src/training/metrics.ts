/**
 * One line of `metrics.jsonl`: a window, or, with local updates, the last one before an average,
 * with the means over those since the average before.
 */
export interface Metrics {
  readonly window: number;
  /** Time steps since the run began. */
  readonly step: number;
  readonly seconds: number;
  /** Mean loss of the window's new steps. */
  readonly loss: number;
  /** Global norm of the gradient before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** How many characters, values or the like were learnt from in a second. */
  readonly tokensPerSecond: number;
  /** Mean loss on a small part of the held-out data, where it was measured. */
  readonly heldOutEstimate?: number;
  /**
   * Norm of dL/dh for the state before each step of the window, the oldest first, where it was
   * measured.
   */
  readonly stateGradientNorms?: readonly number[];
  /** Norm of the update over that of the weights, where it was measured. */
  readonly updateToWeight?: number;
}

/** What is known of a window beside its numbers. */
export interface Measured {
  readonly seconds: number;
  readonly learningRate: number;
  readonly tokensPerSecond: number;
  readonly estimate: number | undefined;
  readonly updateToWeight: number | undefined;
}

/** The numbers of a window, of all ranks. */
export interface WindowNumbers
  extends Pick<Metrics, "window" | "step" | "loss" | "gradientNorm" | "stateGradientNorms"> {}

/** The line of a window, in as many digits as mean something. */
export function metricsOf(
  { window, step, loss, gradientNorm, stateGradientNorms: norms }: WindowNumbers,
  { seconds, learningRate, tokensPerSecond, estimate, updateToWeight }: Measured,
): Metrics {
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  return {
    window,
    step,
    seconds: round(seconds, 3),
    loss: round(loss, 5),
    gradientNorm: round(gradientNorm, 6),
    learningRate: Number(learningRate.toPrecision(4)),
    tokensPerSecond: Math.round(tokensPerSecond),
    ...(norms && { stateGradientNorms: norms.map((norm) => Number(norm.toPrecision(4))) }),
    ...(updateToWeight !== undefined && {
      updateToWeight: Number(updateToWeight.toPrecision(4)),
    }),
    ...(estimate !== undefined && { heldOutEstimate: round(estimate, 5) }),
  };
}

/** An exponential moving average that corrects for its start. */
export class Smoothed {
  #weight = 0;
  #sum = 0;
  readonly #keep: number;

  constructor(keep: number) {
    this.#keep = keep;
  }

  add(value: number): number {
    this.#sum = this.#keep * this.#sum + (1 - this.#keep) * value;
    this.#weight = this.#keep * this.#weight + (1 - this.#keep);
    return this.#sum / this.#weight;
  }
}

const columns = [
  "window",
  "step",
  "seconds",
  "loss",
  "gradientNorm",
  "learningRate",
  "tokensPerSecond",
  "heldOutEstimate",
] as const;

/** Metrics as CSV, a row for each window; what was not measured is empty. */
export function metricsCsv(metrics: readonly Metrics[]): string {
  const rows = metrics.map((line) => columns.map((name) => line[name] ?? "").join(","));
  return `${[columns.join(","), ...rows].join("\n")}\n`;
}
