/**
 * From what a model gives at each step to sequences of symbols.
 *
 * @packageDocumentation
 */
export { type CtcAlignment, ctcAlignment } from "./decode/ctcAlignment.ts";
export { type CtcBeamOptions, type CtcHypothesis, ctcBeamSearch } from "./decode/ctcBeamSearch.ts";
export { ctcGreedy } from "./decode/ctcGreedy.ts";
export type { CtcRowOptions } from "./decode/ctcRows.ts";
