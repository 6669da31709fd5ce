/** The mean of vectors, and the standard error of each of its elements (Welford 1962). */
export class Moments {
  count = 0;
  readonly mean: Float64Array;
  readonly #squares: Float64Array;

  constructor(length: number) {
    this.mean = new Float64Array(length);
    this.#squares = new Float64Array(length);
  }

  add(values: ArrayLike<number>): void {
    this.count++;
    for (let i = 0; i < this.mean.length; i++) {
      const before = values[i]! - this.mean[i]!;
      this.mean[i]! += before / this.count;
      this.#squares[i]! += before * (values[i]! - this.mean[i]!);
    }
  }

  errorAt(i: number): number {
    return Math.sqrt(this.#squares[i]! / (this.count - 1) / this.count);
  }
}
