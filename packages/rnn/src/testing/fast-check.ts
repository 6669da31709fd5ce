/**
 * Arbitraries for fast-check: cells, streams, their marks, and cuts, whose counterexamples shrink
 * to small shapes and simple values.
 *
 * @packageDocumentation
 */
export { type CellsOptions, cells, type RandomCell } from "./fast-check/cells.ts";
export { type Cuts, type CutsOptions, cuts } from "./fast-check/cuts.ts";
export { type MarksOptions, marks, type RandomMarks } from "./fast-check/marks.ts";
export { type RandomStream, type StreamsOptions, streams } from "./fast-check/streams.ts";
