import { existsSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../command/counted.ts";
import { UsageError } from "../command/errors.ts";
import { flagOf } from "../command/flags.ts";
import type { TrainOptions } from "./options.ts";
import type { SavedRun } from "./saved.ts";

/** How long a run goes on: seconds since it began, or windows. */
export interface Limits {
  readonly end: number | undefined;
  readonly windows: number | undefined;
}

/** Training time where nothing says how long. */
const usualSeconds = 60;

/** The limits of a new run. */
export function limitsOf({ seconds, windows }: TrainOptions): Limits {
  return { end: seconds ?? (windows === undefined ? usualSeconds : undefined), windows };
}

/** What may change when a run goes on. */
const free = [
  "config",
  "resume",
  "seconds",
  "windows",
  "threads",
  "save",
  "temperature",
  "csvMetrics",
  "flow",
];

/**
 * Options of a resumed run: those of the earlier run, except how long it goes on, on how many
 * threads, how often it saves and how it samples. Threads decide only the time that a run takes,
 * and shards decide its bits, so they stay.
 */
export function resumedOptions(
  options: TrainOptions,
  given: ReadonlySet<string>,
  { options: earlier }: SavedRun,
): TrainOptions {
  const fixed = [...given].filter((name) => !free.includes(name)).map(flagOf);
  if (fixed.length > 0) {
    throw new UsageError(
      `--resume goes on with the options of ${options.resume}; leave out ${fixed.join(", ")}`,
    );
  }
  const changed = Object.fromEntries(
    free.filter((key) => given.has(key)).map((key) => [key, options[key as keyof TrainOptions]]),
  );
  return { ...earlier, ...changed };
}

/**
 * The limits of a run that goes on: `--seconds` more, up to `--windows`, or what is left of the run
 * that was stopped.
 */
export function resumedLimits(
  { resume, seconds, windows }: TrainOptions,
  given: ReadonlySet<string>,
  { options: earlier, checkpoint }: SavedRun,
): Limits {
  const { windows: done, seconds: before, over } = checkpoint;
  if (over) {
    throw new UsageError(
      `--resume: the data of ${resume} have ended, there is nothing to go on with`,
    );
  }
  if (given.has("windows") && windows! <= done) {
    throw new UsageError(
      `--windows: ${resume} has ${counted(done, "window")} already, got ${windows}; name more, or leave it out`,
    );
  }
  if (given.has("windows") || given.has("seconds")) {
    return {
      end: given.has("seconds") ? before + seconds! : undefined,
      windows: given.has("windows") ? windows : undefined,
    };
  }
  const end = checkpoint.end ?? undefined;
  const isDone = before >= (end ?? Infinity) || done >= (earlier.windows ?? Infinity);
  // What was stopped before its report was written has that left to do.
  const isFinished = existsSync(join(resume!, "result.json"));
  if (!isDone || !isFinished) return { end, windows: earlier.windows };
  throw new UsageError(
    `--resume: ${resume} is complete after ${counted(done, "window")} and ${before.toFixed(0)} s; --seconds or --windows says how far it goes on`,
  );
}
