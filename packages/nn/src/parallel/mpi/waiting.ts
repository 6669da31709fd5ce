const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps without a promise. */
export function sleep(milliseconds: number): void {
  Atomics.wait(nothing, 0, 0, milliseconds);
}

/** How a wait begins. */
export interface Patience {
  /** Milliseconds of looking before the first sleep. */
  readonly spin: number;
  /** What is done between two looks: where ranks outnumber cores, the core is given away. */
  pause(): void;
}

/**
 * Looks until something is so. After the patience it sleeps between looks, a tenth of the time that
 * it has waited, up to `longest` milliseconds: so a wait becomes at most a tenth longer, and a long
 * one takes no time of a core.
 */
export function waitUntil(isSo: () => boolean, { spin, pause }: Patience, longest = 1): void {
  const begin = performance.now();
  while (!isSo()) {
    const waited = performance.now() - begin;
    if (waited > spin) sleep(Math.min(longest, waited / 10));
    else pause();
  }
}
