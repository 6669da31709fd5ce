/**
 * Files that data come in.
 *
 * @module
 */
/// <reference types="node" />
export { type LogMelOptions, logMel } from "./data/logMel.ts";
export { mixed } from "./data/mixed.ts";
export type { Audio } from "./data/parseWav.ts";
export { readWav } from "./data/readWav.ts";
export { resampled } from "./data/resampled.ts";
