import { scope, tensor } from "@chronograd/autodiff";
import type { Transition } from "../derivatives/transition.ts";
import { checkFiniteProducts } from "./checks.ts";
import { eigenvaluesOf, singularValuesOf } from "./dense.ts";
import {
  eigenvalues,
  type Found,
  type KrylovOptions,
  type Method,
  type Product,
  singularValues,
} from "./krylov.ts";
import { directionDraws } from "./orthonormal.ts";
import { type Complex, modulus } from "./schur.ts";

/** A step, whatever the cell. */
export type Step = Transition<unknown, unknown, unknown, unknown>;

/** The spectrum of one row's Jacobian. */
export interface RowSpectrum {
  readonly row: number;
  /** The largest singular values, largest first. */
  readonly singularValues: readonly number[];
  /** The eigenvalues of largest modulus, that one first. */
  readonly eigenvalues: readonly Complex[];
  /** The largest modulus of an eigenvalue. */
  readonly radius: number;
  /**
   * How far from exact, relative to the norm: the largest residual of the singular values, and that
   * of the first eigenvalue; 0 where the dense matrix was decomposed.
   */
  readonly residual: { readonly singularValues: number; readonly eigenvalues: number };
}

/** The spectra of some rows, from their Jacobians. */
export function denseSpectra(
  where: string,
  t: number,
  transition: Step,
  taking: readonly number[],
  count: number,
): RowSpectrum[] {
  const { size: H } = transition;
  const jacobians = transition.jacobian().toTypedArray();
  return taking.map((row) => {
    const own = jacobians.subarray(row * H * H, (row + 1) * H * H);
    checkFiniteProducts(where, t, own);
    const matrix = Array.from({ length: H }, (_, i) => own.subarray(i * H, (i + 1) * H));
    const values = singularValuesOf(matrix).map(({ value }) => value);
    const spectrum = eigenvaluesOf(matrix);
    return rowSpectrum(
      row,
      { values: values.slice(0, count), residual: 0 },
      { values: spectrum.slice(0, count), residual: 0 },
    );
  });
}

function rowSpectrum(row: number, singular: Found<number>, eigen: Found<Complex>): RowSpectrum {
  return {
    row,
    singularValues: singular.values,
    eigenvalues: eigen.values,
    radius: modulus(eigen.values[0]!),
    residual: { singularValues: singular.residual, eigenvalues: eigen.residual },
  };
}

/** The spectra of some rows, from products with their Jacobians. */
export function krylovSpectra(
  where: string,
  t: number,
  transition: Step,
  taking: readonly number[],
  options: KrylovOptions,
): RowSpectrum[] {
  const { size } = transition;
  const run = <T>(start: () => Method<T>) => inLockstep(where, t, transition, taking, start);
  const singular = run(() => singularValues(size, options, directionDraws()));
  const eigen = run(() => eigenvalues(size, options, directionDraws()));
  return taking.map((row, i) => rowSpectrum(row, singular[i]!, eigen[i]!));
}

/** Runs a method for some rows at once: a product is one for all rows that go on. */
function inLockstep<T>(
  where: string,
  t: number,
  transition: Step,
  taking: readonly number[],
  start: () => Method<T>,
): T[] {
  const { rows: B, size: H, before } = transition;
  const { dtype, backend } = before;
  const methods = taking.map((row) => ({ row, method: start() }));
  const results = new Map<number, T>();
  let waiting = methods.map((each) => ({ ...each, asked: each.method.next() }));
  for (;;) {
    for (const { row, asked } of waiting) if (asked.done === true) results.set(row, asked.value);
    waiting = waiting.filter(({ asked }) => asked.done !== true);
    if (waiting.length === 0) return taking.map((row) => results.get(row)!);
    const values = new Float64Array(B * H);
    const products = waiting.map(({ asked }) => asked.value as Product);
    for (const [i, { row }] of waiting.entries()) values.set(products[i]!.x, row * H);
    const { by } = products[0]!;
    const found = scope(() => {
      const xs = tensor(values, { shape: [1, B, H], dtype, backend });
      return transition[by](xs).toTypedArray();
    });
    checkFiniteProducts(where, t, found);
    waiting = waiting.map(({ row, method }) => {
      const product = Float64Array.from(found.subarray(row * H, (row + 1) * H));
      return { row, method, asked: method.next(product) };
    });
  }
}
