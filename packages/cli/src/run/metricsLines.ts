import { existsSync, readFileSync } from "node:fs";
import { UsageError } from "../command/errors.ts";

/** The lines of a `metrics.jsonl`. */
export interface MetricsLines {
  readonly metrics: readonly Readonly<Record<string, unknown>>[];
  /** Of the file, up to the end of the last of these lines. */
  readonly bytes: number;
  /** Whether a line follows that was cut, as when a process is killed while it writes. */
  readonly isCut: boolean;
}

/**
 * The first lines of a file of metrics, at most so many; none where there is no file. Throws a
 * `UsageError` for a line that cannot be read, unless it is the last of the file.
 */
export function readMetrics(file: string, most: number = Infinity): MetricsLines {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  // What follows the end of the last line is empty, or a line that was cut.
  const rest = lines.pop() ?? "";
  const metrics: Record<string, unknown>[] = [];
  let bytes = 0;
  for (const [i, line] of lines.slice(0, most).entries()) {
    const found = parsed(line);
    if ("metrics" in found) {
      metrics.push(found.metrics);
      bytes += Buffer.byteLength(line) + 1;
    } else if (i === lines.length - 1 && rest === "") {
      return { metrics, bytes, isCut: true };
    } else {
      throw new UsageError(`${file}, line ${i + 1} cannot be read: ${found.why}; restore the file`);
    }
  }
  return { metrics, bytes, isCut: lines.length < most && rest !== "" };
}

function parsed(line: string): { metrics: Record<string, unknown> } | { why: string } {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject
      ? { metrics: value as Record<string, unknown> }
      : { why: "expected an object of metrics" };
  } catch (error) {
    return { why: (error as Error).message };
  }
}
