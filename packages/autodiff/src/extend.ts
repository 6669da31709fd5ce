/**
 * For authors of ops: declare a primitive with its rules, and call the kernels that compute it.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

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
  Sample,
  VjpRule,
} from "./ops/declare.ts";
export { none, op } from "./ops/declare.ts";
export { kernelsOf } from "./ops/kernels.ts";
export { sumTo } from "./ops/sumTo.ts";
export type { Row } from "./ops/table.ts";
export { opTable } from "./ops/table.ts";
export { entriesOf, type ListedEntry, type ListedInput, originOf } from "./passes/listing.ts";
export { bytesOf } from "./tensor/dtype.ts";
