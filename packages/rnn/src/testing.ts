/**
 * The entry point for those who must know that a cell, a model or a truncated objective is right.
 *
 * @packageDocumentation
 */

export type { CellRow, SomeCell } from "./testing/cell/cellTable.ts";
export { cellTable } from "./testing/cell/cellTable.ts";
export type { FamilyDescription } from "./testing/cell/family.ts";
export { familyOf } from "./testing/cell/family.ts";
export type { CellTestOptions } from "./testing/cell/options.ts";
export { cellLaws, testCell } from "./testing/cell/testCell.ts";
export type { InputOption } from "./testing/draw.ts";
export { symbols } from "./testing/draw.ts";
export { checkEstimator } from "./testing/estimators/checkEstimator.ts";
export type {
  CheckEstimatorOptions,
  CheckedEstimator,
  EstimatedWindow,
  EstimatorClaim,
} from "./testing/estimators/options.ts";
export type { ParameterResult } from "./testing/estimators/report.ts";
export { EstimatorReport } from "./testing/estimators/report.ts";
export type { InfluenceKind } from "./testing/influence/changes.ts";
export type { InfluenceBatch, InfluenceOptions } from "./testing/influence/checkInfluence.ts";
export { checkInfluence } from "./testing/influence/checkInfluence.ts";
export type { Influence, InfluenceResult } from "./testing/influence/report.ts";
export { InfluenceReport } from "./testing/influence/report.ts";
export { checkTruncated } from "./testing/truncated/checkTruncated.ts";
export type {
  CheckedWindow,
  CheckTruncatedOptions,
  WindowsFunction,
} from "./testing/truncated/options.ts";
export type { ModeResult, WindowFailure } from "./testing/truncated/report.ts";
export { TruncationReport } from "./testing/truncated/report.ts";
