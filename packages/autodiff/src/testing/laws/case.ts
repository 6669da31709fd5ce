import type { FloatDType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { MapTree } from "../../tensor/tree.ts";
import { Flattened, type Part, partAt } from "../function.ts";
import type { Finding, Law } from "../law.ts";
import { relative } from "../verdict.ts";
import { largest } from "../worst.ts";

/** A function, and how its inputs are drawn. */
export interface Case<T> {
  readonly label: string;
  readonly f: (inputs: MapTree<T, Tensor>) => unknown;
  /** Inputs for a seed, all floats of `dtype`. */
  draw(seed: number, dtype: FloatDType): T;
}

/** How laws about functions are held. */
export interface LawOptions {
  /**
   * float64 unless given; in float32 the bounds of rounding laws are wider, and differences tell
   * nothing.
   */
  readonly dtype?: FloatDType;
}

/** The bound of a law whose two sides differ by rounding alone. */
export function rounding(dtype: FloatDType, float64 = 1e-12, float32 = 1e-4): number {
  return dtype === "float64" ? float64 : float32;
}

/** A law that is measured case by case; the worst of them counts. */
export function lawOf<C extends { readonly label: string }>(
  cases: readonly C[],
  head: Pick<Law, "name" | "statement" | "bound">,
  measure: (subject: C, seed: number) => Finding | undefined,
): Law {
  return {
    ...head,
    measure(seed) {
      let result: Finding | undefined;
      for (const subject of cases) {
        const found = attempt(subject, seed, measure);
        if (found === undefined) continue;
        result = worse(result, { ...found, what: `${subject.label}: ${found.what ?? ""}` });
      }
      return result;
    },
  };
}

function attempt<C extends { readonly label: string }>(
  subject: C,
  seed: number,
  measure: (subject: C, seed: number) => Finding | undefined,
): Finding | undefined {
  try {
    return measure(subject, seed);
  } catch (error) {
    if (error instanceof Error) error.message = `${subject.label}: ${error.message}`;
    throw error;
  }
}

/** Both findings as one: the larger error, all cases. */
export function worse(a: Finding | undefined, b: Finding): Finding {
  if (a === undefined) return b;
  const larger = b.error <= a.error ? a : b;
  return { ...larger, cases: a.cases + b.cases };
}

/** The function of a case as one of flat vectors. */
export function flattened<T>(subject: Case<T>, seed: number, dtype: FloatDType): Flattened<T> {
  return new Flattened(subject.f, subject.draw(seed, dtype), subject.label, dtype);
}

/**
 * Largest difference of two vectors, relative to a scale, the largest of all their numbers unless
 * given, or to the numbers themselves where they are larger; NaN beside NaN is no difference.
 */
export function compare(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: (i: number) => string = (i) => `element ${i}`,
  scale: number = Math.max(largest(found), largest(expected)),
): Finding {
  if (found.length !== expected.length) {
    return {
      error: Infinity,
      cases: 1,
      what: `${found.length} numbers, expected ${expected.length}`,
    };
  }
  let error = 0;
  let at = 0;
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    if (Object.is(a, b)) continue;
    const here = relative(a, b, scale);
    if (here <= error) continue;
    at = i;
    error = here;
  }
  if (error === 0) return { error, cases: found.length };
  const words = `${what(at)}: ${found[at]}, expected ${expected[at]}`;
  return { error, cases: found.length, what: words };
}

/**
 * Compares vectors of all inputs, or all outputs: each tensor's numbers relative to the largest of
 * them.
 */
export function compareParts(
  parts: readonly Part[],
  found: Float64Array,
  expected: Float64Array,
  what: (i: number) => string,
): Finding {
  return parts
    .map(({ start, size }) => {
      const [a, b] = [found, expected].map((list) => list.subarray(start, start + size));
      return compare(a!, b!, (i) => what(start + i));
    })
    .reduce(worse);
}

/** `<a, b>`, and the sizes of its terms added up. */
export function product(a: ArrayLike<number>, b: ArrayLike<number>): { sum: number; size: number } {
  let [sum, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    sum += a[i]! * b[i]!;
    size += Math.abs(a[i]! * b[i]!);
  }
  return { sum, size };
}

/** As `compare`, but anything except the same bits is an infinite error. */
export function same(found: ArrayLike<number>, expected: ArrayLike<number>, what: string): Finding {
  const cases = Math.max(1, expected.length);
  if (found.length !== expected.length) {
    return {
      error: Infinity,
      cases,
      what: `${what}: ${found.length} numbers, expected ${expected.length}`,
    };
  }
  for (let i = 0; i < found.length; i++) {
    if (Object.is(found[i], expected[i])) continue;
    return {
      error: Infinity,
      cases,
      what: `${what}, element ${i}: ${found[i]}, expected ${expected[i]}`,
    };
  }
  return { error: 0, cases };
}

/** Names an element of a function's inputs. */
export function inputAt<T>(flat: Flattened<T>, i: number): string {
  const { path, start } = partAt(flat.inputParts, i);
  return `gradient by input ${path === "" ? "" : `"${path}" `}at ${i - start}`;
}
