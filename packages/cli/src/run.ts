/**
 * Run folders: what a training run leaves, and goes on from.
 *
 * @module
 */
/// <reference types="node" />

export { createRun, type RunOptions } from "./run/create.ts";
export { listRuns, type RunDescription, readRun } from "./run/description.ts";
export type { RunFolder } from "./run/folder.ts";
export { type OpenedRun, openRun, readCheckpoint } from "./run/open.ts";
