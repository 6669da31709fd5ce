import fc, { type Arbitrary } from "fast-check";

/** Where a stream is cut: `k1 <= k2`. */
export interface Cuts {
  readonly k1: number;
  readonly k2: number;
}

/** How far cuts may be apart. */
export interface CutsOptions {
  /** Largest k1, and largest k2 - k1; 8 unless given. */
  readonly max?: number;
}

/**
 * Random k1 and k2 >= k1, shrinking towards 1 and 1.
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { cuts } from "@chronograd/rnn/testing/fast-check";
 *
 * fc.assert(fc.property(cuts(), ({ k1, k2 }) => k1 >= 1 && k2 >= k1));
 * ```
 */
export function cuts({ max = 8 }: CutsOptions = {}): Arbitrary<Cuts> {
  return fc
    .tuple(fc.integer({ min: 1, max }), fc.integer({ min: 0, max }))
    .map(([k1, more]) => ({ k1, k2: k1 + more }));
}
