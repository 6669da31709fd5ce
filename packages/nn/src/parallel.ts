/**
 * Training on several cores, in Node and in browsers: which rows are a worker's, how workers reduce
 * trees, over shared memory or another transport, and how they average now and then.
 *
 * @packageDocumentation
 */
export type { Departure } from "./parallel/barrier.ts";
export type { RankAndSize } from "./parallel/communicator.ts";
export { createCommunicator } from "./parallel/createCommunicator.ts";
export {
  type DistributedOptions,
  distributedValueAndGrad,
} from "./parallel/distributedValueAndGrad.ts";
export {
  type LocalUpdates,
  type LocalUpdatesOptions,
  type LocalUpdatesState,
  localUpdates,
} from "./parallel/localUpdates.ts";
export { shard, shardList, shardRows } from "./parallel/shard.ts";
export { type SharedBufferOptions, SharedMemory, sharedBuffer } from "./parallel/sharedMemory.ts";
export type { Transport } from "./parallel/transport.ts";
