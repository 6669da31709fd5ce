import { rng } from "@chronograd/nn";
import { continuations, generate as draw } from "@chronograd/rnn/decode";
import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { UsageError } from "../command/errors.ts";
import { flagOf } from "../command/flags.ts";
import { runFlags } from "../command/runFlags.ts";
import { encode } from "../tasks/text/corpus.ts";
import { textInterface } from "../tasks/text/task.ts";
import { trainedModel } from "../training/model.ts";
import { readSaved } from "../training/saved.ts";

/** Writes text with a trained model. */
export const generate: Command = defineCommand({
  name: "generate",
  summary: "Writes text with a model that was trained on a text.",
  positionals: [{ name: "run", description: "the folder of a training run", required: true }],
  options: z.object({
    run: z.string(),
    prompt: z
      .string()
      .min(1)
      .default("\n")
      .describe("what the model reads first; the end of a line unless given")
      .meta({ value: "TEXT" }),
    length: z.int().min(1).max(1_000_000).default(600).describe("characters"),
    temperature: z
      .number()
      .min(0)
      .default(0.7)
      .describe("below 1 favours likely characters, 0 takes the likeliest"),
    nucleus: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe("draws among the likeliest characters that amount to this probability"),
    topK: z.int().min(1).optional().describe("draws among this many of the likeliest characters"),
    beam: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe("draws nothing: searches the likeliest text, keeping this many at a time"),
    seed: runFlags.seed.describe("seed of the draws"),
  }),
  examples: [
    'chronograd generate runs/gru-256-1 --prompt "Call me "',
    "chronograd generate runs/gru-256-1 --temperature 1 --nucleus 0.9 --seed 2",
    'chronograd generate runs/gru-256-1 --prompt "The whale" --beam 8 --length 60',
  ],
  async run(options, io, given) {
    const { run, prompt, length, temperature, nucleus, topK, beam, seed } = options;
    const drawing = ["temperature", "nucleus", "topK", "seed"].filter((key) => given.has(key));
    if (beam !== undefined && drawing.length > 0) {
      throw new UsageError(`--beam draws nothing; leave out ${drawing.map(flagOf).join(", ")}`);
    }
    const saved = await readSaved(run, io.say);
    const { task, params } = saved.checkpoint;
    if (task.task !== "text") {
      throw new UsageError(
        `${run} is no run on a text; chronograd evaluate ${run} measures its model`,
      );
    }
    const { characters } = task;
    const codes = encode([...prompt], characters, (character) => {
      return given.has("prompt")
        ? `--prompt: the text of ${run} has no ${JSON.stringify(character)}`
        : `the text of ${run} has no ends of lines; give a --prompt`;
    });
    const model = (await trainedModel(
      run,
      saved.options,
      textInterface(characters),
      params,
    )) as never;
    const read = (tokens: readonly number[]) => tokens.map((code) => characters[code]).join("");
    const texts =
      beam === undefined
        ? [read(drawn(draw(model, params, drawOptions())))]
        : continuations(model, params, { prompt: codes, length, width: beam }).map(({ tokens }) =>
            read(tokens),
          );
    io.say(`${prompt.trimStart()}${texts[0]}`);
    io.result({ run, prompt, text: texts[0], ...(beam !== undefined && { beam: texts }) });

    function drawOptions() {
      const random = rng(seed, "generate");
      return { prompt: codes, length, temperature, nucleus, rng: random, ...(topK && { topK }) };
    }
  },
});

/** The tokens of the only row. */
function drawn(rows: Iterable<readonly number[]>): number[] {
  return Array.from(rows, ([token]) => token!);
}
