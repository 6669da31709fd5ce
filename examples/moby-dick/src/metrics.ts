/** One line of `metrics.jsonl`: a window. */
export interface Metrics {
  readonly window: number;
  /** Time steps since the run began. */
  readonly step: number;
  readonly seconds: number;
  /** Mean loss of the window's new characters, in nats. */
  readonly loss: number;
  readonly bitsPerCharacter: number;
  /** Global norm of the gradient before clipping. */
  readonly gradientNorm: number;
  readonly charactersPerSecond: number;
  /** Mean loss on held-out text, in nats, where it was measured. */
  readonly heldOut?: number;
  /**
   * Norm of dL/dh for the state before each step of the window, the oldest first, where it was
   * measured.
   */
  readonly stateGradientNorms?: readonly number[];
}

/** Nats as bits. */
export function bits(nats: number): number {
  return nats / Math.LN2;
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
