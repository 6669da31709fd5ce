const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps without a promise. */
export function sleep(milliseconds: number): void {
  Atomics.wait(nothing, 0, 0, milliseconds);
}

/** How a wait begins: milliseconds since then until a step of it ends. */
export interface Patience {
  /** First, nothing is done between two looks. */
  readonly spin: number;
  /** Then each look gives the core to whoever can use it; after that, there are sleeps. */
  readonly share: number;
  yieldCore(): void;
}

/**
 * Looks until something is so. After the patience it sleeps between looks, a tenth of the time that
 * it has waited, up to `longest` milliseconds: so a wait becomes at most a tenth longer, and a long
 * one takes no time of a core.
 */
export function waitUntil(isSo: () => boolean, patience: Patience, longest = 1): void {
  const begin = performance.now();
  while (!isSo()) {
    const waited = performance.now() - begin;
    if (waited > patience.share) sleep(Math.min(longest, waited / 10));
    else if (waited > patience.spin) patience.yieldCore();
  }
}
