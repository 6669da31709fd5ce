/** The most runs between two checks, where a check costs little enough. */
const longest = 256;
/** The share of the time that checks may take. */
const share = 0.01;

/**
 * When to look whether what was recorded is still what a function does: soon at first, then every
 * 256 runs.
 */
export class CheckSchedule {
  #runs = 0;
  #distance = 1;
  #next = 2;

  /** Counts a run; whether it should be preceded by a check. */
  isDue(): boolean {
    this.#runs++;
    if (this.#runs < this.#next) return false;
    this.#distance = Math.min(2 * this.#distance, longest);
    this.#next = this.#runs + this.#distance;
    return true;
  }

  /** Puts the next check off where one took longer, beside a run, than its share of the time. */
  took(check: number, run: number): void {
    const least = Math.ceil(check / (share * Math.max(run, 1e-3)));
    if (this.#distance === longest) this.#next = Math.max(this.#next, this.#runs + least);
  }
}
