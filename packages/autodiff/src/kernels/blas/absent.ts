import type { BlasSearch } from "./library.ts";

/** Where there is no native code, as in a browser. */
export function findBlas(): BlasSearch {
  return "not in this environment";
}
