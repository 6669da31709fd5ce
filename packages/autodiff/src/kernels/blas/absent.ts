import type { BlasSearch } from "./library.ts";

/** Where there is no native code, as in a browser. */
export function findBlas(_isInPool = false): BlasSearch {
  return "not in this environment";
}
