/**
 * The entry point for authors of ops, cells and optimizers: declare a primitive with its rules, own the memory of what a
 * loop makes.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export { CheckSchedule } from "./compile/checkSchedule.ts";
export { PurityCheck } from "./compile/purityCheck.ts";
export type { ForwardRun } from "./compile/recorded.ts";
export { RecordedFunction } from "./compile/recorded.ts";
export type { ValueAndPullbacks } from "./compile/traceFunction.ts";
export type * from "./kernels/contract.ts";
export { type LinearMemory, Memory } from "./kernels/memory.ts";
export { simdKernels } from "./kernels/simd/index.ts";
export { apply } from "./ops/apply.ts";
export type {
  AccumulateRule,
  Application,
  CompositeDeclaration,
  Examples,
  InputSpec,
  JvpRule,
  NoRule,
  Op,
  OpDeclaration,
  Operand,
  Recorder,
  Sample,
  VjpRule,
} from "./ops/declare.ts";
export { none, op } from "./ops/declare.ts";
export { lookUp } from "./ops/indexing.ts";
export { kernelsOf } from "./ops/kernels.ts";
export { sumTo } from "./ops/reduce.ts";
export type { Row } from "./ops/table.ts";
export { opTable } from "./ops/table.ts";
export { Queue } from "./tape/queue.ts";
export { Region, within } from "./tensor/block.ts";
export { bytesOf } from "./tensor/dtype.ts";
export { checkOptions, nearestOf } from "./tensor/options.ts";
export {
  alias,
  allocate,
  consume,
  giveOwner,
  isSole,
  latest,
  outlive,
  takeOver,
} from "./tensor/tensor.ts";
export { describeTensor } from "./tensor/text.ts";
export { isTracing, NotTraceable, refuseTracing } from "./tensor/tracing.ts";
