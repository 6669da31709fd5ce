/**
 * What `@chronograd/nn` and `@chronograd/rnn` need of the core's memory and compiler. Not for
 * users: anything here may change in any release.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export { CheckSchedule } from "./compile/checkSchedule.ts";
export { type Trial, whyDependent } from "./compile/independence.ts";
export type { Shards } from "./compile/pace.ts";
export { alone } from "./compile/pace.ts";
export { planRows, type RowPlan } from "./compile/planRows.ts";
export { PurityCheck } from "./compile/purityCheck.ts";
export type { ForwardRun } from "./compile/recorded.ts";
export { RecordedFunction } from "./compile/recorded.ts";
export {
  checkedSharding,
  oneThread,
  type Sharding,
  shardingNames,
  shardsOf,
} from "./compile/sharding.ts";
export { joinParts, partsOf } from "./compile/shards.ts";
export type { ValueAndPullbacks } from "./compile/traceFunction.ts";
export { crossEntropy } from "./ops/crossEntropy.ts";
export { lookUp } from "./ops/lookup.ts";
export { describeSite, siteOf } from "./passes/site.ts";
export { Queue } from "./tape/queue.ts";
export { areApart } from "./tensor/backend.ts";
export { blocksMade, Region, within } from "./tensor/block.ts";
export { checkAlive, isLike } from "./tensor/checks.ts";
export { checkOptions, nearestOf } from "./tensor/options.ts";
export { pairwiseSum } from "./tensor/pairwiseSum.ts";
export { takeOver } from "./tensor/scope.ts";
export { consume, donate, latest, moveOutOfWindow } from "./tensor/successors.ts";
export { alias, allocate, giveOwner, isUniquelyHeld } from "./tensor/tensor.ts";
export { describeTensor, describeType } from "./tensor/text.ts";
export { isTracing, NotTraceable, refuseTracing } from "./tensor/tracing.ts";
