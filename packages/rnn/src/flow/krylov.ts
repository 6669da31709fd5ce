import { singularValuesOf, spectrumOf } from "./dense.ts";
import { fillOrthogonal, lengthOf, removeParts, scaleBy } from "./orthonormal.ts";
import { type Complex, modulus } from "./schur.ts";

/** A product with a matrix that is asked for: `J x`, or `J' x`. */
export interface Product {
  readonly by: "push" | "pull";
  readonly x: Float64Array;
}

/** A method that asks for products, one after the other, and gets them. */
export type Method<T> = Generator<Product, T, Float64Array>;

/** How far a Krylov method goes. */
export interface KrylovOptions {
  /** How many values are asked for. */
  readonly count: number;
  /** The largest residual, relative to the largest value. */
  readonly tolerance: number;
  /** The most vectors of a basis. */
  readonly dimension: number;
}

/** Values of a matrix, and the largest residual among them, relative to the largest value. */
export interface Found<T> {
  readonly values: readonly T[];
  readonly residual: number;
}

/** Whether a basis of m vectors is one to look for values in: at about each third more. */
function isStage(m: number, size: number, { count, dimension }: KrylovOptions): boolean {
  if (m === Math.min(size, dimension)) return true;
  for (let stage = 2 * count + 6; stage <= m; stage = Math.ceil(1.35 * stage)) {
    if (stage === m) return true;
  }
  return false;
}

/**
 * Makes `x` a unit vector after its parts along a basis were taken, or a random one where nothing
 * is left.
 */
function normalise(
  x: Float64Array,
  basis: readonly Float64Array[],
  scale: number,
  normal: () => number,
): number {
  const length = lengthOf(x);
  if (length > scale * 2 ** -50) {
    scaleBy(x, 1 / length);
    return length;
  }
  if (basis.length < x.length) fillOrthogonal(x, basis, normal);
  return 0;
}

/**
 * The largest singular values, by Golub-Kahan-Lanczos bidiagonalisation with full
 * reorthogonalisation (Golub & Kahan 1965): `J V = U B` and `J' U = V B' + beta v e'` with B upper
 * bidiagonal. The residual of a singular value of B is `beta` times the last component of its left
 * vector. Where a product vanishes, the basis goes on with a random vector.
 */
export function* singularValues(
  size: number,
  options: KrylovOptions,
  normal: () => number,
): Method<Found<number>> {
  const { count, tolerance, dimension } = options;
  const most = Math.min(size, dimension);
  const [us, vs]: [Float64Array[], Float64Array[]] = [[], []];
  const [alphas, betas]: [number[], number[]] = [[], []];
  let v = new Float64Array(size);
  fillOrthogonal(v, vs, normal);
  let scale = 0;
  for (;;) {
    vs.push(v);
    const u = (yield { by: "push", x: v }).slice();
    scale = Math.max(scale, lengthOf(u));
    removeParts(u, us);
    alphas.push(normalise(u, us, scale, normal));
    us.push(u);
    v = (yield { by: "pull", x: u }).slice();
    scale = Math.max(scale, lengthOf(v));
    removeParts(v, vs);
    const m = vs.length;
    const beta = normalise(v, vs, scale, normal);
    if (isStage(m, size, options)) {
      const rows = alphas.map((alpha, i) => {
        const row = new Float64Array(m);
        row[i] = alpha;
        if (i + 1 < m) row[i + 1] = betas[i]!;
        return row;
      });
      const found = singularValuesOf(rows).slice(0, count);
      const largest = Math.max(...found.map(({ last }) => last)) * (m === size ? 0 : beta);
      const residual = largest === 0 ? 0 : largest / found[0]!.value;
      if (residual <= tolerance || m === most) {
        return { values: found.map(({ value }) => value), residual };
      }
    }
    betas.push(beta);
  }
}

/**
 * The eigenvalues of largest modulus, by the method of Arnoldi (1951): `J Q = Q A + a q e'` with A
 * upper Hessenberg. The residual of an eigenvalue of A is `a` times the last component of its
 * vector; only that of the first decides when to stop.
 */
export function* eigenvalues(
  size: number,
  options: KrylovOptions,
  normal: () => number,
): Method<Found<Complex>> {
  const { count, tolerance, dimension } = options;
  const most = Math.min(size, dimension);
  const qs: Float64Array[] = [];
  const columns: Float64Array[] = [];
  const below: number[] = [];
  let q = new Float64Array(size);
  fillOrthogonal(q, qs, normal);
  let scale = 0;
  for (;;) {
    qs.push(q);
    q = (yield { by: "push", x: q }).slice();
    scale = Math.max(scale, lengthOf(q));
    columns.push(removeParts(q, qs));
    const m = qs.length;
    const rest = normalise(q, qs, scale, normal);
    if (isStage(m, size, options)) {
      const rows = qs.map((_, i) => {
        const entry = (j: number) => (i <= j ? columns[j]![i]! : i === j + 1 ? below[j]! : 0);
        return Float64Array.from(columns, (_, j) => entry(j));
      });
      const { values, last } = spectrumOf(rows);
      const largest = last * (m === size ? 0 : rest);
      const residual = largest === 0 ? 0 : largest / Math.max(scale, modulus(values[0]!));
      if (residual <= tolerance || m === most) return { values: values.slice(0, count), residual };
    }
    below.push(rest);
  }
}
