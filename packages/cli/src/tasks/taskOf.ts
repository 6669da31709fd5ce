import { UsageError } from "../command/errors.ts";
import type { Task } from "../training/task.ts";
import { type CsvKept, type CsvOptions, csvTask } from "./csv/task.ts";
import { moduleTask } from "./module/task.ts";
import { type TextKept, textTask } from "./text/task.ts";

/** The options that say what there is to learn. */
export interface TaskOptions extends Omit<CsvOptions, "csv"> {
  readonly text?: string | undefined;
  readonly csv?: string | undefined;
  readonly data?: string | undefined;
  readonly temperature: number;
  readonly seed: number;
}

/** What a run keeps of its task. */
export type Kept = TextKept | CsvKept | { readonly task: "module" };

/**
 * The task that options name.
 *
 * @param kept what an earlier run on these data has kept
 */
export async function taskOf(options: TaskOptions, kept?: Kept): Promise<Task> {
  const { text, csv, data } = options;
  const named = Object.entries({ text, csv, data }).filter(([, path]) => path !== undefined);
  if (named.length > 1) {
    throw new UsageError(
      `give one of --text, --csv and --data, got ${named.map(([name]) => `--${name}`).join(" and ")}`,
    );
  }
  const stray =
    options.columns !== undefined ? "columns" : options.missing !== "refuse" && "missing";
  if (csv === undefined && stray) {
    throw new UsageError(`--${stray} is about a CSV file; give one with --csv, or leave it out`);
  }
  if (csv !== undefined) return await csvTask({ ...options, csv }, kept as CsvKept | undefined);
  if (data !== undefined) return await moduleTask({ ...options, data });
  return textTask(options, kept as TextKept | undefined);
}
