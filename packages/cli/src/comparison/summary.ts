import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { UsageError } from "../command/errors.ts";
import { type RunDescription, readRun } from "../run/description.ts";
import { readMetrics } from "../run/metricsLines.ts";

/** A point of the curve of a run. */
export interface Point {
  readonly seconds: number | undefined;
  readonly step: number;
  /** Windows until then. */
  readonly windows: number;
  readonly loss: number;
}

/** A run in a few words. */
export interface Summary {
  readonly name: string;
  readonly path: string;
  readonly run: RunDescription;
  /** The name of the file or book that it learnt. */
  readonly data: string;
  readonly cell: string;
  readonly parameters: number | undefined;
  readonly windows: number;
  /** On all of the held-out data; nothing where the run has not ended. */
  readonly heldOut: number | undefined;
  readonly unit: string | undefined;
  readonly figures: readonly { readonly what: string; readonly value: number }[];
  readonly curve: readonly Point[];
}

/** Reads what a run folder says of itself; throws a `UsageError` where it is none. */
export function summaryOf(path: string): Summary {
  const run = readRun(path);
  const curve = curveOf(join(path, "metrics.jsonl"));
  const file = join(path, "result.json");
  const result = existsSync(file) ? objectIn(file) : {};
  const { text, csv, data, cell, hidden, layers } = run.options;
  const named = [text, csv, data].find((each) => each !== undefined);
  const size = `${Number(layers) > 1 ? `${layers} x ` : ""}${hidden ?? ""}`;
  return {
    name: basename(path),
    path,
    run,
    data: named === undefined ? (run.kind === "train" ? "Moby Dick" : "") : shown(named),
    cell: cell === undefined ? "" : `${shown(cell)} ${size}`.trim(),
    parameters: result.parameters as number | undefined,
    windows: (result.windows as number | undefined) ?? curve.at(-1)?.windows ?? 0,
    heldOut: typeof result.heldOut === "number" ? result.heldOut : undefined,
    unit: result.unit as string | undefined,
    figures: (result.figures ?? []) as Summary["figures"],
    curve,
  };
}

/** A value of an option; of a path its last part. */
export function shown(value: unknown): string {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  return typeof value === "string" && /[/\\]/.test(value) ? basename(value) : text;
}

function objectIn(file: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(readFileSync(file, "utf8"))) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** The losses that a run has logged. A last line that was cut is passed over. */
function curveOf(file: string): Point[] {
  return readMetrics(file).metrics.flatMap(({ seconds, step, window, loss }, i) => {
    if (typeof loss !== "number") return [];
    return [
      {
        seconds: typeof seconds === "number" ? seconds : undefined,
        step: typeof step === "number" ? step : i + 1,
        windows: typeof window === "number" ? window + 1 : i + 1,
        loss,
      },
    ];
  });
}
