/**
 * The entry point to training on several cores, in Node and in browsers: which rows are a worker's, and the memory through which
 * workers reduce.
 *
 * @packageDocumentation
 */
export type { Departure } from "./parallel/meeting.ts";
export { type Place, shard, shardRows } from "./parallel/shard.ts";
export { type SharedBufferOptions, SharedCommunicator, sharedBuffer } from "./parallel/shared.ts";
