// Spelling to sound: how is an English word pronounced? A convolution and a GRU in both directions
// read its letters, an LSTM with attention says its phonemes. See README.md.
import { countParameters } from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { defineCommand, runCommand, runFlags, UsageError } from "chronograd/command";
import * as z from "zod";
import { checkRows, isSo, runOfFirst } from "../../ranks.ts";
import { baselinesOf } from "./baseline.ts";
import { readDictionary, ruledDictionary } from "./dictionary.ts";
import { speller } from "./model.ts";
import { pronounce } from "./pronounce.ts";
import { type Epoch, percent, report } from "./report.ts";
import { updates } from "./train.ts";
import { judged } from "./transcribe.ts";

const options = z.object({
  ...runFlags,
  word: z
    .string()
    .optional()
    .describe("only say how this word is pronounced")
    .meta({ value: "WORD" }),
  from: z
    .string()
    .optional()
    .describe("run folder of the speller that says it; the last one unless given")
    .meta({ value: "DIR" }),
  smoke: z.boolean().default(false).describe("a small run on words of a language made by rules"),
  epochs: z.int().min(1).default(4).describe("times through the training words"),
  hidden: z.int().min(2).multipleOf(2).default(256).describe("units of the decoder"),
  dropout: z.number().min(0).lt(1).default(0).describe("share of values that are dropped"),
  size: z.int().min(1).default(128).describe("words in a batch"),
  rate: z.number().positive().default(2e-3).describe("highest learning rate of Adam"),
  truth: z
    .number()
    .min(0)
    .max(1)
    .default(0.9)
    .describe("share of true phonemes among the inputs in the end; 1 is teacher forcing"),
  width: z.int().min(1).default(5).describe("hypotheses of the beam search"),
});

// Alone, or under mpiexec with others, which share each batch.
const communicator = mpi();

const command = defineCommand({
  name: "spelling",
  summary: "Learns how words are pronounced from how they are spelt.",
  options,
  examples: [
    "npm run example spelling",
    "npm run example spelling -- --smoke",
    "npm run example spelling -- --word chronograd --from runs/spelling-1",
  ],
  async run(given, io) {
    if (given.word !== undefined) {
      if (communicator.rank === 0) await pronounce(given.word, given, io);
      return;
    }
    const began = performance.now();
    const { seed, smoke, width } = given;
    const settings = { ...given, ...(smoke && { epochs: 12, hidden: 32, size: 20 }) };
    if (smoke) io.say("Smoke mode: words made by three rules stand in for the dictionary.");
    const data = smoke ? ruledDictionary(seed) : readDictionary(seed);
    const { training, validation, test, phonemes } = data;
    const perEpoch = Math.floor(training.length / settings.size);
    const total = settings.epochs * perEpoch;
    // The learning rate rises in a tenth of the updates.
    if (total < 20) {
      throw new UsageError(
        `--size: batches of ${settings.size} of ${training.length} words make ${total} updates, expected at least 20; choose a smaller size`,
      );
    }
    checkRows(communicator, "--size", settings.size);
    const run = await runOfFirst(communicator, { ...given, kind: "spelling", options: given });
    const sizes = {
      phonemes: phonemes.length,
      hidden: settings.hidden,
      dropout: settings.dropout,
    };
    const model = speller(sizes);
    io.say(
      `${training.length} words to learn from, ${validation.length} to watch, ${test.length} to judge by; ${countParameters(model.initial(seed))} parameters`,
    );

    const curve: Epoch[] = [];
    const losses: number[] = [];
    const progress = io.progress({ total, unit: "updates" });
    let params = model.initial(seed);
    for await (const update of updates(model, data, settings, communicator)) {
      const { epoch, index, loss, endsEpoch } = update;
      params = update.params;
      losses.push(loss);
      const recent = mean(losses.slice(-50));
      if (index % 50 === 0) progress.update(index, `loss ${recent.toFixed(3)}`);
      if (endsEpoch && run !== undefined) {
        const errors = judged(model, params, validation, phonemes, 1);
        curve.push({ epoch, loss: mean(losses.splice(0)), ...errors });
        run.log({ ...curve.at(-1)!, seconds: since(began), processor: processor() });
        await run.save({ params, sizes, symbols: phonemes });
        io.say(`epoch ${epoch}: ${percent(errors.phonemes)} of phonemes wrong, validation words`);
      }
      if (isSo(communicator, io.stopping)) break;
    }
    progress.stop();
    if (run === undefined) return;
    const seconds = since(began);
    io.say(`Trained for ${seconds.toFixed(0)} s, ${processor().toFixed(0)} s of processor time.`);

    const errors = {
      ...baselinesOf(data),
      greedy: judged(model, params, test, phonemes, 1),
      [`beam of ${width}`]: judged(model, params, test, phonemes, width),
    };
    for (const [name, { phonemes, words }] of Object.entries(errors)) {
      io.say(`${name}: ${percent(phonemes)} of phonemes wrong, ${percent(words)} of words`);
    }
    await report({ run, seed, width, seconds, curve, errors, model, params, test, phonemes });
    run.close();
    io.say(
      `Report, picture and speller are in ${run.path}; --word WORD --from ${run.path} asks it.`,
    );
    const figures = (["phonemes", "words"] as const).map((kind) => {
      const percents = Object.entries(errors).map(([name, by]) => [name, 100 * by[kind]] as const);
      const [what, value] = [`error rate of ${kind}, held-out words`, percents.at(-1)![1]];
      const baselines = Object.fromEntries(percents.slice(0, 2));
      return { what, unit: "%", value, better: "lower", baselines };
    });
    io.result({ example: "spelling", figures, seconds, seed });
  },
});

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const since = (began: number) => (performance.now() - began) / 1000;
const processor = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;

process.exitCode = await runCommand(command, process.argv.slice(2), { communicator });
