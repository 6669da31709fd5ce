import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { UsageError } from "../command/errors.ts";
import { taskOf } from "../tasks/taskOf.ts";
import { checkLoss } from "../training/finish.ts";
import { trainedModel } from "../training/model.ts";
import { readSaved } from "../training/saved.ts";
import { sentence } from "../training/sentence.ts";
import type { Evaluation, Task, Trained } from "../training/task.ts";

/** Measures a trained model on all of what was held out. */
export const evaluate: Command = defineCommand({
  name: "evaluate",
  summary: "Measures a trained model on all of the held-out data, or on those of another file.",
  positionals: [{ name: "run", description: "the folder of a training run", required: true }],
  options: z.object({
    run: z.string(),
    text: z
      .string()
      .min(1)
      .optional()
      .describe("another text, whose last 20th is taken")
      .meta({ value: "FILE" }),
    csv: z
      .string()
      .min(1)
      .optional()
      .describe("another CSV file, whose last fifth is taken")
      .meta({ value: "FILE" }),
  }),
  examples: [
    "chronograd evaluate runs/gru-256-1",
    "chronograd evaluate runs/gru-256-1 --text other.txt --json",
  ],
  async run({ run, text, csv }, io) {
    const { options, checkpoint } = await readSaved(run, io.say);
    const { task: kept, params } = checkpoint;
    const other = { text, csv };
    for (const [kind, path] of Object.entries(other)) {
      if (path === undefined || kind === kept.task) continue;
      throw new UsageError(`--${kind}: ${run} is a run on ${sorts[kept.task]}`);
    }
    const path = text ?? csv;
    const data = path === undefined ? options : { ...options, [kept.task]: path };
    const task = await taskOf({ ...data, batch: 1 }, kept);
    if (path === undefined && task.digest !== checkpoint.digest) {
      throw new UsageError(
        `${task.title} has other data than ${run} has learnt; restore it, or name the file with --${kept.task}`,
      );
    }
    const model = await trainedModel(run, options, task.interface, params);
    const evaluation = evaluated(task, { model, params });
    const { lines, figures, loss } = evaluation;
    if (loss === undefined) {
      throw new UsageError(`${task.title} holds nothing out; export heldOut from it`);
    }
    for (const line of lines) io.say(line);
    io.result({ run, data: task.title, loss, unit: task.unit, figures });
    checkLoss(run, evaluation);
  },
});

/** The evaluation of a model; what fails in it is a `RunError`. */
function evaluated(task: Task, trained: Trained): Evaluation {
  try {
    return task.evaluate(trained);
  } catch (error) {
    throw sentence(error);
  }
}

const sorts = { text: "a text", csv: "a CSV file", module: "a module" } as const;
