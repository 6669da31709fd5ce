import * as z from "zod";
import { chosenOf } from "../command/chosenOf.ts";
import { type Command, defineCommand } from "../command/define.ts";
import { showFlow, usualFlow } from "../instruments/flow.ts";
import { instrumentNames } from "../instruments/index.ts";
import { rebuilt, rebuiltFlags } from "../training/rebuilt.ts";
import { readSaved } from "../training/saved.ts";

/** Shows how gradients flow in a trained model. */
export const flow: Command = defineCommand({
  name: "flow",
  summary: "Shows how gradients flow in a trained model, and what its truncation costs.",
  positionals: [{ name: "run", description: "the folder of a training run", required: true }],
  options: z.object({
    ...rebuiltFlags,
    steps: z
      .int()
      .min(2)
      .optional()
      .describe("held-out time steps to look at; 200, or two windows of k2, unless given"),
    rows: z.int().min(1).max(64).default(usualFlow.rows).describe("rows side by side"),
    tolerance: z
      .number()
      .gt(0)
      .lt(1)
      .default(usualFlow.tolerance)
      .describe("relative bias that an advised window may have"),
    only: z
      .array(z.string())
      .default([...instrumentNames])
      .describe("instruments")
      .meta({ value: "NAMES" }),
  }),
  examples: [
    "chronograd flow runs/gru-256-1",
    "chronograd flow runs/gru-256-1 --only lags,bias --steps 400",
    "chronograd flow runs/gru-256-1 --json > flow.json",
  ],
  async run({ run, text, csv, only, steps, rows, tolerance }, io) {
    const names = chosenOf("--only", only, instrumentNames);
    const saved = await readSaved(run, io.say);
    const { task, model } = await rebuilt(run, saved, { text, csv });
    const { options, checkpoint } = saved;
    const { params, windows } = checkpoint;
    const trained = { model, params };
    const size = { steps, rows, tolerance, only: names };
    io.result(await showFlow({ run, task, trained, options, windows, ...size }, io));
  },
});
