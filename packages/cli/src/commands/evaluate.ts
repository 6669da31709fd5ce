import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { UsageError } from "../command/errors.ts";
import { checkLoss } from "../training/finish.ts";
import { rebuilt, rebuiltFlags } from "../training/rebuilt.ts";
import { readSaved } from "../training/saved.ts";
import { sentence } from "../training/sentence.ts";
import type { Evaluation, Task, Trained } from "../training/task.ts";

/** Measures a trained model on all of what was held out. */
export const evaluate: Command = defineCommand({
  name: "evaluate",
  summary: "Measures a trained model on all of the held-out data, or on those of another file.",
  positionals: [{ name: "run", description: "the folder of a training run", required: true }],
  options: z.object(rebuiltFlags),
  examples: [
    "chronograd evaluate runs/gru-256-1",
    "chronograd evaluate runs/gru-256-1 --text other.txt --json",
  ],
  async run({ run, text, csv }, io) {
    const saved = await readSaved(run, io.say);
    const { task, model } = await rebuilt(run, saved, { text, csv });
    const evaluation = evaluated(task, { model, params: saved.checkpoint.params });
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
