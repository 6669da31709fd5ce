import { studentQuantile } from "../statistics/studentQuantile.ts";
import {
  clamped,
  type Estimate,
  type GradientBias,
  type Moments,
  normsOf,
  type Part,
  productWithFull,
  scaledPart,
  squareOfFull,
} from "./gradientBias.ts";
import { dot } from "./orthonormal.ts";

/**
 * The bias of G_k from n >= 3 independent samples, whose means are G_k and R. Squares and products
 * are means over pairs of different samples, and so unbiased too (U-statistics, Hoeffding 1948).
 * Their covariances come from leaving out each sample in turn (the jackknife of U-statistics,
 * Arvesen 1969), and the intervals of ratios from those by Fieller's theorem (Fieller 1954).
 */
export function sampledBias(
  truncated: readonly Float64Array[],
  rest: readonly Float64Array[],
  part: Part,
): GradientBias {
  const n = truncated.length;
  const scaled = scaledPart([...truncated, ...rest], part);
  const { all, without } = pairMoments(scaled.slice(0, n), scaled.slice(n));
  const t = studentQuantile(without.length - 1, 0.95);
  const ratio = (of: Of, by: Of) => ratioOf(of, by, all, without, t);
  const relativeError = mapped(
    ratio(({ rr }) => rr, squareOfFull),
    root,
    { low: 0, high: null },
  );
  return {
    cosine: cosineBetween(ratio(defect, normsOf), relativeError.high),
    relativeError,
    normRatio: mapped(
      ratio(({ kk }) => kk, squareOfFull),
      root,
      { low: 0, high: null },
    ),
  };
}

/** |G_k| |G| - G_k . G, which is (1 - cosine) |G_k| |G|. */
const defect = (moments: Moments) => normsOf(moments) - productWithFull(moments);

/**
 * The cosine, from 1 - cosine. Where that is found to be 0 or less, its error is not its own: then
 * the cosine is at least that of the largest angle that the relative error allows.
 */
function cosineBetween({ value, low, high }: Estimate, error: number | null): Estimate {
  if (value === null) return { value, low: -1, high: 1 };
  const cosine = clamped(1 - value);
  if (low === null || high === null || error === null) return { value: cosine, low: -1, high: 1 };
  const least = value > 0 ? 1 - high : error < 1 ? Math.sqrt(1 - error * error) : -1;
  return { value: cosine, low: clamped(least), high: clamped(1 - low) };
}

type Of = (moments: Moments) => number;

/** The root of a square, which an estimate may find below 0. */
const root = (x: number) => Math.sqrt(Math.max(0, x));

/** The estimate of a function that rises; where there is no interval, all that it can be. */
function mapped(
  { value, low, high }: Estimate,
  f: (x: number) => number,
  range: Pick<Estimate, "low" | "high">,
): Estimate {
  const hasInterval = low !== null && high !== null;
  const ends = hasInterval ? { low: f(low), high: f(high) } : range;
  return { value: value === null ? null : f(value), ...ends };
}

/** The mean products of different samples: of all, and without each. */
function pairMoments(
  truncated: readonly Float64Array[],
  rest: readonly Float64Array[],
): { readonly all: Moments; readonly without: readonly Moments[] } {
  const n = truncated.length;
  const [sumK, sumR] = [sumOf(truncated), sumOf(rest)];
  const own = truncated.map((k, i) => momentsOf(k, rest[i]!));
  const pairs = momentsOf(sumK, sumR);
  const total = { ...pairs };
  for (const { kk, kr, rr } of own) {
    total.kk -= kk;
    total.kr -= kr;
    total.rr -= rr;
  }
  const perPair = ({ kk, kr, rr }: Moments, count: number): Moments => {
    const number = count * (count - 1);
    return { kk: kk / number, kr: kr / number, rr: rr / number };
  };
  const without = truncated.map((k, i) => {
    const r = rest[i]!;
    const { kk, kr, rr } = own[i]!;
    const left = {
      kk: total.kk - 2 * (dot(k, sumK) - kk),
      kr: total.kr - (dot(k, sumR) - kr) - (dot(r, sumK) - kr),
      rr: total.rr - 2 * (dot(r, sumR) - rr),
    };
    return perPair(left, n - 1);
  });
  return { all: perPair(total, n), without };
}

function momentsOf(k: Float64Array, r: Float64Array): Moments {
  return { kk: dot(k, k), kr: dot(k, r), rr: dot(r, r) };
}

function sumOf(vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  return sum;
}

/** The jackknife's covariance of two numbers, from what they are without each sample. */
function covariance(x: readonly number[], y: readonly number[]): number {
  const n = x.length;
  const [middleX, middleY] = [mean(x), mean(y)];
  const sum = x.reduce((total, v, i) => total + (v - middleX) * (y[i]! - middleY), 0);
  return (sum * (n - 1)) / n;
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * The ratio N / D of two functions of the moments: it may be any q for which N - q D is within t of
 * its standard errors from 0, which is a quadratic inequality in q; and any whose logarithm is
 * within t of its standard error from that of N / D, because a square that is small beside its
 * error is skewed. There is no interval where D may be 0.
 */
function ratioOf(of: Of, by: Of, all: Moments, without: readonly Moments[], t: number): Estimate {
  const [N, D] = [of(all), by(all)];
  const [n, d] = [without.map(of), without.map(by)];
  const [nn, nd, dd] = [covariance(n, n), covariance(n, d), covariance(d, d)];
  const a = D * D - t * t * dd;
  const b = N * D - t * t * nd;
  const c = N * N - t * t * nn;
  const value = D > 0 ? N / D : null;
  if (!(a > 0 && D > 0)) return { value, low: null, high: null };
  const reach = Math.sqrt(Math.max(0, b * b - a * c));
  const [low, high] = [(b - reach) / a, (b + reach) / a];
  if (N <= 0) return { value, low, high };
  const ofLogarithm = Math.sqrt(nn / (N * N) - (2 * nd) / (N * D) + dd / (D * D));
  const factor = Math.exp(t * ofLogarithm);
  return { value, low: Math.min(low, N / D / factor), high: Math.max(high, (N / D) * factor) };
}
