import { type Batch, jackknife, meansOf } from "../statistics/jackknife.ts";

/** Means over steps and rows. */
export interface LagMeans {
  /** The loss steps that means are of: those from step `lags` on, so that each has all lags. */
  readonly lossSteps: number;
  /**
   * `mean[tau]`: the mean of `|dl_s / dh_(s - tau)|` over those steps and their rows, as Aicher,
   * Foti & Fox (2019) take the expectation.
   */
  readonly mean: readonly number[];
  /**
   * Standard errors of the means, by batch means; `null` where there are fewer than two batches.
   */
  readonly standardError: readonly number[] | null;
  /** 95 % intervals of the means, by Student's distribution. */
  readonly interval: readonly (readonly [low: number, high: number])[] | null;
  /**
   * What the errors are from: the rows, which are independent, or batches of about `sqrt(n)` of the
   * n loss steps that follow each other, whichever are more.
   */
  readonly batches: { readonly of: "rows" | "steps"; readonly count: number };
}

/** The norms of one loss's gradient by lag. */
interface LossNorms {
  readonly s: number;
  /** The rows with a step, of which the loss is. */
  readonly rows: readonly number[];
  /** By lag: the sum over those rows. */
  readonly sums: number[];
}

/** Gathers norms by loss step, lag and row. */
export class LagSamples {
  readonly #lags: number;
  readonly #losses = new Map<number, LossNorms>();
  /** By row: sums over the steps from step `lags` on, and how many they are. */
  readonly #rows: { readonly sums: Float64Array; count: number }[];

  constructor(lags: number, rows: number) {
    this.#lags = lags;
    const empty = () => ({ sums: new Float64Array(lags + 1), count: 0 });
    this.#rows = Array.from({ length: rows }, empty);
  }

  /** A loss at step s, of these rows. */
  begin(s: number, rows: readonly number[]): void {
    this.#losses.set(s, { s, rows, sums: [] });
    if (s < this.#lags) return;
    for (const row of rows) this.#rows[row]!.count++;
  }

  /** The norms of all rows at the next lag of the loss at step s. */
  add(s: number, norms: ArrayLike<number>): void {
    const { rows, sums } = this.#losses.get(s)!;
    const lag = sums.length;
    let sum = 0;
    for (const row of rows) {
      sum += norms[row]!;
      if (s >= this.#lags) this.#rows[row]!.sums[lag]! += norms[row]!;
    }
    sums.push(sum);
  }

  /** Means over the rows at step s, by lag; `null` where it has no loss. */
  at(s: number): number[] | null {
    const found = this.#losses.get(s);
    return found === undefined ? null : found.sums.map((sum) => sum / found.rows.length);
  }

  /** The losses with all lags, in time order. */
  get #whole(): LossNorms[] {
    const whole = [...this.#losses.values()].filter(({ s }) => s >= this.#lags);
    return whole.sort((a, b) => a.s - b.s);
  }

  /** Rows, or steps that follow each other, whichever are more batches. */
  batches(): { readonly of: "rows" | "steps"; readonly batches: readonly Batch[] } {
    const whole = this.#whole;
    const rows = this.#rows.filter(({ count }) => count > 0);
    const parts = Math.floor(Math.sqrt(whole.length));
    if (rows.length >= parts) return { of: "rows", batches: rows };
    const batches = Array.from({ length: parts }, (_, i) => {
      const sums = new Float64Array(this.#lags + 1);
      let count = 0;
      const [from, until] = [i, i + 1].map((k) => Math.floor((k * whole.length) / parts));
      for (const loss of whole.slice(from, until)) {
        count += loss.rows.length;
        for (const [lag, sum] of loss.sums.entries()) sums[lag]! += sum;
      }
      return { sums, count };
    });
    return { of: "steps", batches };
  }

  means(): LagMeans {
    const { of, batches } = this.batches();
    const mean = Array.from(meansOf(batches));
    const spreads = mean.map((_, lag) => jackknife(batches, (means) => means[lag]!));
    const isSpread = batches.length >= 2;
    return {
      lossSteps: this.#whole.length,
      mean,
      standardError: isSpread ? spreads.map((spread) => spread!.standardError) : null,
      interval: isSpread
        ? spreads.map((spread) => [Math.max(0, spread!.interval[0]), spread!.interval[1]] as const)
        : null,
      batches: { of, count: batches.length },
    };
  }
}
