/** Seconds of training: what is measured and saved in between does not count. */
export class Stopwatch {
  readonly #before: number;
  readonly #started = performance.now();
  #paused = 0;

  /** @param before seconds of the earlier part of the run */
  constructor(before: number) {
    this.#before = before;
  }

  get seconds(): number {
    return this.#before + (performance.now() - this.#started - this.#paused) / 1000;
  }

  /** Goes on from the seconds of another one. */
  follow(seconds: number): void {
    this.#paused += 1000 * (this.seconds - seconds);
  }

  /** Does something that does not count. */
  async pause<T>(work: () => T | Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await work();
    } finally {
      this.#paused += performance.now() - from;
    }
  }
}
