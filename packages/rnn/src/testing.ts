/**
 * The entry point for those who must know that a cell, a model or a truncated objective is right.
 *
 * @packageDocumentation
 */
export type { CellTestOptions } from "./testing/cell/options.ts";
export { cellLaws, testCell } from "./testing/cell/testCell.ts";
export type { InputOption } from "./testing/draw.ts";
export { symbols } from "./testing/draw.ts";
export { checkTruncated } from "./testing/truncated/checkTruncated.ts";
export type {
  CheckedWindow,
  CheckTruncatedOptions,
  WindowsFunction,
} from "./testing/truncated/options.ts";
export type { ModeResult, WindowFailure } from "./testing/truncated/report.ts";
export { TruncationReport } from "./testing/truncated/report.ts";
