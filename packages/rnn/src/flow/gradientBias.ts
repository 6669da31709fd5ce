import { dot } from "./orthonormal.ts";

/** A number and where it lies: an exact one has `low` and `high` equal to `value`. */
export interface Estimate {
  /** `null` where it does not exist, because a gradient is 0 or cannot be told from it. */
  readonly value: number | null;
  /** The ends of its interval, in which it lies with 95 %; `null` where there is no such end. */
  readonly low: number | null;
  readonly high: number | null;
}

/** A truncated gradient G_k beside the full gradient G. */
export interface GradientBias {
  /** The cosine of the angle between G_k and G. */
  readonly cosine: Estimate;
  /** |G_k - G| / |G|. */
  readonly relativeError: Estimate;
  /** |G_k| / |G|. */
  readonly normRatio: Estimate;
}

/** Squares and the product of G_k and of R = G - G_k: all that a bias is made of. */
export interface Moments {
  readonly kk: number;
  readonly kr: number;
  readonly rr: number;
}

/** From where to where a vector of all parameters is that of one. */
export interface Part {
  readonly from: number;
  readonly until: number;
}

/** The bias of G_k, from it and R. */
export function exactBias(truncated: Float64Array, rest: Float64Array, part: Part): GradientBias {
  const [k, r] = scaledPart([truncated, rest], part) as [Float64Array, Float64Array];
  const kk = dot(k, k);
  const kr = dot(k, r);
  const rr = dot(r, r);
  const moments = { kk, kr, rr };
  const full = squareOfFull(moments);
  const norms = normsOf(moments);
  return {
    cosine: exact(norms > 0 ? clamped(productWithFull(moments) / norms) : null),
    relativeError: exact(full > 0 ? Math.sqrt(rr / full) : null),
    normRatio: exact(full > 0 ? Math.sqrt(kk / full) : null),
  };
}

const exact = (value: number | null): Estimate => ({ value, low: value, high: value });

/** |G|^2 = |G_k + R|^2. */
export function squareOfFull({ kk, kr, rr }: Moments): number {
  return kk + 2 * kr + rr;
}

/** The inner product of G_k and G. */
export function productWithFull({ kk, kr }: Moments): number {
  return kk + kr;
}

/** |G_k| |G|; not a number where an estimate of a square is below 0. */
export function normsOf(moments: Moments): number {
  return Math.sqrt(moments.kk) * Math.sqrt(squareOfFull(moments));
}

/** A cosine, whatever rounding or an estimate makes of it. */
export const clamped = (cosine: number): number => Math.min(1, Math.max(-1, cosine));

/**
 * One part of some vectors, times a power of two that brings their largest element near 1: squares
 * neither vanish nor overflow, and what is made of quotients stays the same.
 */
export function scaledPart(
  vectors: readonly Float64Array[],
  { from, until }: Part,
): Float64Array[] {
  const parts = vectors.map((vector) => vector.slice(from, until));
  let most = 0;
  for (const part of parts) for (const x of part) most = Math.max(most, Math.abs(x));
  if (most === 0 || !Number.isFinite(most)) return parts;
  const scale = 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(most))));
  return parts.map((part) => part.map((x) => x * scale));
}
