import { type Batch, jackknife, meansOf } from "../statistics/jackknife.ts";

/** A geometric decay `mean[tau] ~ rate^tau`, fitted to the logarithms by least squares. */
export interface Decay {
  /** The factor per lag, beta of Aicher, Foti & Fox (2019); 1 or more where nothing decays. */
  readonly rate: number;
  /** The 95 % interval of the rate, by the jackknife over batches; `null` for fewer than two. */
  readonly interval: readonly [low: number, high: number] | null;
  /** The standard error of log(rate). */
  readonly standardError: number | null;
  /** The first and the last lag of the fit. */
  readonly from: number;
  readonly to: number;
  /** Root mean square of what the line leaves of the logarithms: large where the decay is none. */
  readonly residual: number;
}

/**
 * The decay of means from lag `from` on. Lags at which a mean underflows to 0, also without one of
 * the batches, are left out; `null` where fewer than two are left.
 */
export function decayOf(batches: readonly Batch[], from: number): Decay | null {
  const means = meansOf(batches);
  const all = batches.length < 2 ? [means] : batches.map((batch) => meansOf(batches, batch));
  const lags: number[] = [];
  for (let lag = from; lag < means.length; lag++) {
    if (all.every((each) => each[lag]! > 0)) lags.push(lag);
  }
  if (lags.length < 2) return null;
  const middle = lags.reduce((a, b) => a + b) / lags.length;
  const squares = lags.reduce((sum, lag) => sum + (lag - middle) ** 2, 0);
  const slope = (of: Float64Array) =>
    lags.reduce((sum, lag) => sum + (lag - middle) * Math.log(of[lag]!), 0) / squares;
  const log = slope(means);
  const level = lags.reduce((sum, lag) => sum + Math.log(means[lag]!), 0) / lags.length;
  const left = lags.map((lag) => Math.log(means[lag]!) - level - log * (lag - middle));
  const spread = jackknife(batches, slope);
  return {
    rate: Math.exp(log),
    interval: spread && [Math.exp(spread.interval[0]), Math.exp(spread.interval[1])],
    standardError: spread === null ? null : spread.standardError,
    from: lags[0]!,
    to: lags.at(-1)!,
    residual: Math.sqrt(left.reduce((sum, each) => sum + each ** 2, 0) / left.length),
  };
}
