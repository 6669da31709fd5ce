import { rng } from "@chronograd/nn";

/** `count` vectors of `size` numbers, vector k at `offset + k * stride` of one array. */
export interface VectorSet {
  readonly values: Float64Array;
  readonly offset: number;
  readonly stride: number;
  readonly count: number;
  readonly size: number;
}

/** Vector k of a set, as a view. */
export function vectorOf({ values, offset, stride, size }: VectorSet, k: number): Float64Array {
  const from = offset + k * stride;
  return values.subarray(from, from + size);
}

/** The inner product of two vectors. */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** `y += a x`. */
export function addScaled(y: Float64Array, a: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i]! += a * x[i]!;
}

/** `x *= a`. */
export function scaleBy(x: Float64Array, a: number): void {
  for (let i = 0; i < x.length; i++) x[i]! *= a;
}

/** The length of a vector, scaled by its largest element against under- and overflow. */
export function lengthOf(x: Float64Array): number {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const value of x) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/**
 * Takes from `x` its part along orthonormal vectors, twice, which is enough for orthogonality to
 * rounding (Giraud, Langou & Rozložník 2005).
 *
 * @returns the coefficients that were taken, `[k]`
 */
export function removeParts(x: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const taken = new Float64Array(basis.length);
  for (let pass = 0; pass < 2; pass++) {
    for (const [k, q] of basis.entries()) {
      const part = dot(q, x);
      taken[k]! += part;
      addScaled(x, -part, q);
    }
  }
  return taken;
}

/** Fills `x` with a random unit vector orthogonal to an orthonormal basis that is not complete. */
export function fillOrthogonal(
  x: Float64Array,
  basis: readonly Float64Array[],
  normal: () => number,
): void {
  for (;;) {
    for (let i = 0; i < x.length; i++) x[i] = normal();
    const drawn = lengthOf(x);
    removeParts(x, basis);
    const left = lengthOf(x);
    if (left < 1e-8 * drawn) continue;
    scaleBy(x, 1 / left);
    return;
  }
}

/** Standard normal draws that are the same at each call of an instrument. */
export function directionDraws(): () => number {
  const random = rng(0, "directions");
  return () => random.normal();
}

/**
 * The thin QR decomposition of a set of vectors in place, by modified Gram-Schmidt with a second
 * pass: they become Q. A vector that depends on those before is replaced by a random one that is
 * orthogonal to them.
 *
 * @returns the diagonal of R, at least 0
 */
export function orthonormalise(vectors: VectorSet, normal: () => number): Float64Array {
  const diagonal = new Float64Array(vectors.count);
  const basis: Float64Array[] = [];
  for (let k = 0; k < vectors.count; k++) {
    const x = vectorOf(vectors, k);
    const before = lengthOf(x);
    removeParts(x, basis);
    const left = lengthOf(x);
    const isDependent = left <= before * 2 ** -52;
    diagonal[k] = isDependent ? 0 : left;
    if (isDependent) fillOrthogonal(x, basis, normal);
    else scaleBy(x, 1 / left);
    basis.push(x);
  }
  return diagonal;
}

/** Fills a set with random orthonormal vectors. */
export function fillOrthonormal(vectors: VectorSet, normal: () => number): void {
  for (let k = 0; k < vectors.count; k++) {
    const x = vectorOf(vectors, k);
    for (let i = 0; i < x.length; i++) x[i] = normal();
  }
  orthonormalise(vectors, normal);
}
