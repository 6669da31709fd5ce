import * as z from "zod";
import { UsageError } from "../command/errors.ts";
import type { PlainCell } from "../modules/loadCell.ts";
import { taskOf } from "../tasks/taskOf.ts";
import { trainedModel } from "./model.ts";
import type { SavedRun } from "./saved.ts";
import type { Task } from "./task.ts";

/** What a run has learnt from, and with. */
export interface Rebuilt {
  readonly task: Task;
  readonly model: PlainCell;
}

const sorts = { text: "a text", csv: "a CSV file", module: "a module" } as const;

const file = z.string().min(1).optional();

/** Options of a command that takes a run, with other data where they are named. */
export const rebuiltFlags: {
  readonly run: z.ZodString;
  readonly text: z.ZodOptional<z.ZodString>;
  readonly csv: z.ZodOptional<z.ZodString>;
} = {
  run: z.string(),
  text: file.describe("another text, whose last 20th is taken").meta({ value: "FILE" }),
  csv: file.describe("another CSV file, whose last fifth is taken").meta({ value: "FILE" }),
};

/**
 * The task and the model of a run, made again from what its folder holds.
 *
 * Throws a `UsageError` where the data are not those that the run has learnt, or of another sort.
 *
 * @param run the path of the folder
 * @param other another file in the place of the run's own
 */
export async function rebuilt(
  run: string,
  { options, checkpoint }: SavedRun,
  other: { readonly text?: string | undefined; readonly csv?: string | undefined } = {},
): Promise<Rebuilt> {
  const { task: kept, params } = checkpoint;
  for (const [kind, path] of Object.entries(other)) {
    if (path === undefined || kind === kept.task) continue;
    throw new UsageError(`--${kind}: ${run} is a run on ${sorts[kept.task]}`);
  }
  const path = other.text ?? other.csv;
  const data = path === undefined ? options : { ...options, [kept.task]: path };
  const task = await taskOf({ ...data, batch: 1 }, kept);
  if (path === undefined && task.digest !== checkpoint.digest) {
    const wayOut = kept.task === "module" ? "" : `, or name the file with --${kept.task}`;
    throw new UsageError(
      `${task.title} has other data than ${run} has learnt; restore it${wayOut}`,
    );
  }
  return { task, model: await trainedModel(run, options, task.interface, params) };
}
