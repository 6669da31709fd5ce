import type { Result } from "./measure.ts";

/** Milliseconds as a person reads them. */
function milliseconds(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3);
}

function mark(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2);
}

/** What else a result says: a rate, a time per op, threads, the first step. */
function remarks({ name, config, median_ms }: Result): string {
  const { threads, first_ms, start_ms, flops, peak_mib, kernel_peak_mib, ops, tokens, rows } =
    config;
  const parts: string[] = [];
  if (typeof flops === "number") parts.push(`${(flops / median_ms / 1e6).toFixed(1)} GFLOP/s`);
  if (typeof ops === "number") parts.push(`${((1000 * median_ms) / ops).toFixed(3)} us/op`);
  if (typeof tokens === "number")
    parts.push(`${Math.round((1000 * tokens) / median_ms)} characters/s`);
  if (threads !== undefined) parts.push(`${threads} thread${threads === 1 ? "" : "s"}`);
  if (rows !== undefined) parts.push(String(rows));
  if (typeof first_ms === "number") parts.push(`first step ${milliseconds(first_ms)}`);
  if (typeof start_ms === "number") parts.push(`start ${milliseconds(start_ms)}`);
  if (peak_mib !== undefined) parts.push(`${peak_mib} MiB at peak`);
  const showsMemory = name.startsWith("cold-") || name.startsWith("growth-T");
  if (kernel_peak_mib !== undefined && showsMemory) parts.push(`${kernel_peak_mib} MiB in kernels`);
  return parts.join(", ");
}

/** The time of another system divided by ours. */
function comparison(result: Result, ours: Result | undefined): string {
  if (ours === undefined || ours.system === result.system) return "";
  return `x${mark(result.median_ms / ours.median_ms)}`;
}

/** The rows of one block, ours first, the others sorted by time, with ratios to ours. */
export function tableOf(results: readonly Result[]): string[] {
  const ours = (name: string): Result | undefined =>
    results.find((result) => result.name === name && result.system.startsWith("chronograd"));
  const rows = results
    .toSorted((a, b) => (a.name === b.name ? a.median_ms - b.median_ms : a.name < b.name ? -1 : 1))
    .map((result) => [
      result.name,
      result.system,
      milliseconds(result.median_ms),
      `+-${milliseconds(result.spread / 2)}`,
      comparison(result, ours(result.name)),
      remarks(result),
    ]);
  const widths = [20, 15, 8, 9, 7];
  return rows.map((row) =>
    row
      .map((text, i) =>
        i === 0 || i === 1 ? text.padEnd(widths[i]!) : text.padStart(widths[i] ?? 0),
      )
      .join(" ")
      .trimEnd(),
  );
}

/** Explains the columns. */
export const legend =
  "case, system, median ms, half the interquartile range, times ours; then what else was measured";
