/**
 * Files that data come in.
 *
 * @module
 */
/// <reference types="node" />
export { columnIndex, parseCsv, readCsv, type Table, type TableRow } from "./data/csv.ts";
export type { Missing } from "./data/fill.ts";
export { formatTime, later, type Spacing, spacingName } from "./data/spacing.ts";
export { type TimeSeries, type TimeSeriesOptions, timeSeries } from "./data/timeSeries.ts";
