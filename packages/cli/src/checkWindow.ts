import { UsageError } from "./command/errors.ts";

/** Throws a sentence unless a window goes back at least as far as its new steps. */
export function checkWindow({ k1, k2 }: { readonly k1: number; readonly k2: number }): void {
  if (k2 >= k1) return;
  throw new UsageError(`--k2 must be at least --k1, got k1 ${k1} and k2 ${k2}`);
}
