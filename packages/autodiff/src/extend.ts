/**
 * The entry point for authors of ops, cells and optimizers: declare a primitive with its rules, own the memory of what a
 * loop makes.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export type { ForwardRun, Pulled } from "./compile/recorded.ts";
export { RecordedFunction, Witness } from "./compile/recorded.ts";
export { Trust } from "./compile/trust.ts";
export type * from "./kernels/contract.ts";
export type { GateKernels } from "./kernels/gates.ts";
export { type LinearMemory, Memory } from "./kernels/memory.ts";
export type { NormalizationKernels } from "./kernels/normalization.ts";
export type { UpdateKernels } from "./kernels/update.ts";
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
  isSole,
  latest,
  outlive,
  place,
  takeOver,
} from "./tensor/tensor.ts";
export { describeTensor } from "./tensor/text.ts";
export { isTracing, NotTraceable, refuseTracing } from "./tensor/tracing.ts";
