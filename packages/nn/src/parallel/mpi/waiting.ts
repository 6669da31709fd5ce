const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps without a promise. */
export function sleep(milliseconds: number): void {
  Atomics.wait(nothing, 0, 0, milliseconds);
}

/**
 * Looks until something is so. First without a pause, for `spin` milliseconds; then it sleeps
 * between looks, a tenth of the time that it has waited, up to `longest` milliseconds: so a wait
 * becomes at most a tenth longer, and a long one takes no time of a core.
 */
export function waitUntil(isSo: () => boolean, spin: number, longest = 1): void {
  const begin = performance.now();
  while (!isSo()) {
    const waited = performance.now() - begin;
    if (waited > spin) sleep(Math.min(longest, waited / 10));
  }
}
