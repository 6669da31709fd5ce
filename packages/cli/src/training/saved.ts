import { resolve } from "node:path";
import { UsageError } from "../command/errors.ts";
import { checked } from "../command/flags.ts";
import { type RunDescription, readRun } from "../run/description.ts";
import { readCheckpoint } from "../run/open.ts";
import { isFile } from "./cells.ts";
import { type Checkpoint, kind } from "./checkpoint.ts";
import { type DecidedOptions, type TrainOptions, trainOptions } from "./options.ts";

/** A training run as its folder holds it. */
export interface SavedRun {
  readonly options: DecidedOptions;
  readonly checkpoint: Checkpoint;
}

/**
 * What a folder has of a training run. Throws a `UsageError` where it is none.
 *
 * @param say is told where the last checkpoint is damaged, and the one before it is taken
 */
export async function readSaved(path: string, say: (line: string) => void): Promise<SavedRun> {
  const { options } = readRun(path, kind);
  return savedOf(path, options, await readCheckpoint<Checkpoint>(path, kind, say));
}

/** A training run of the options that its folder has. */
export function savedOf(
  path: string,
  options: RunDescription["options"],
  checkpoint: Checkpoint,
): SavedRun {
  const read = checked(trainOptions, options, (key) => `${path}/run.json: ${key}`);
  if (read.hidden === undefined) throw new UsageError(`${path}/run.json: hidden is missing`);
  return { options: { ...read, hidden: read.hidden }, checkpoint };
}

/** The options of one call, which a run does not keep. */
const ofTheCall = ["config", "resume", "name", "force", "printSchema"];

/**
 * The options that a run folder keeps: with whole paths, so that they mean the same from
 * everywhere.
 */
export function keptOptions(options: TrainOptions): Record<string, unknown> {
  const { cell } = options;
  const whole = Object.fromEntries(
    (["text", "csv", "data"] as const)
      .filter((key) => options[key] !== undefined)
      .map((key) => [key, resolve(options[key]!)]),
  );
  const all = { ...options, ...whole, cell: isFile(cell) ? resolve(cell) : cell };
  return Object.fromEntries(
    Object.entries(all).filter(([key, value]) => value !== undefined && !ofTheCall.includes(key)),
  );
}
