import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { UsageError } from "../command/errors.ts";
import { rebuilt, rebuiltFlags } from "../training/rebuilt.ts";
import { readSaved } from "../training/saved.ts";

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
    const saved = await readSaved(run);
    const { task, model } = await rebuilt(run, saved, { text, csv });
    const { params } = saved.checkpoint;
    const { lines, figures, loss } = task.evaluate({ model, params });
    if (loss === undefined) {
      throw new UsageError(`${task.title} holds nothing out; export heldOut from it`);
    }
    for (const line of lines) io.say(line);
    io.result({ run, data: task.title, loss, unit: task.unit, figures });
  },
});
