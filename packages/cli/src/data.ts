/**
 * Files that data come in.
 *
 * @module
 */
/// <reference types="node" />

export { columnIndex, parseCsv, readCsv, type Table, type TableRow } from "./data/csv.ts";
export type { Missing } from "./data/fill.ts";
export { type LogMelOptions, logMel } from "./data/logMel.ts";
export { encodeMidi, type MidiOptions } from "./data/midi.ts";
export { mixed } from "./data/mixed.ts";
export type { Audio } from "./data/parseWav.ts";
export { readWav } from "./data/readWav.ts";
export { resampled } from "./data/resampled.ts";
export { formatTime, later, type Spacing, spacingName } from "./data/spacing.ts";
export { type TimeSeries, type TimeSeriesOptions, timeSeries } from "./data/timeSeries.ts";
