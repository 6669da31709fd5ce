// Spelling to sound: how is an English word pronounced? A convolution and a GRU in both directions
// read its letters, an LSTM with attention says its phonemes. See README.md.
import { scope, type Tensor, valueAndGrad } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  countParameters,
  crossEntropy,
  oneCycle,
  type Rng,
  rng,
} from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { scheduledSampling } from "@chronograd/rnn/decode";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { createRun } from "chronograd/run";
import * as z from "zod";
import { countingSpeller } from "./baseline.ts";
import { batchOf } from "./batch.ts";
import { type Entry, readDictionary, ruledDictionary } from "./dictionary.ts";
import { type Batch, type Params, speller } from "./model.ts";
import { pronounce } from "./pronounce.ts";
import { type Epoch, report } from "./report.ts";
import { errorsOf, transcribe } from "./transcribe.ts";

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
    .describe("the run folder whose speller says it")
    .meta({ value: "DIR" }),
  smoke: z.boolean().default(false).describe("a small run on words of a language made by rules"),
  epochs: z.int().min(1).default(6).describe("times through the training words"),
  hidden: z.int().min(2).multipleOf(2).default(256).describe("units of the decoder"),
  dropout: z.number().min(0).lt(1).default(0.2).describe("share of values that are dropped"),
  size: z.int().min(1).default(128).describe("words in a batch"),
  rate: z.number().positive().default(3e-3).describe("highest learning rate of Adam"),
  truth: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe("share of true phonemes before each step, at the end; 1 is teacher forcing"),
  width: z.int().min(1).default(5).describe("hypotheses of the beam search"),
});

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
    if (given.word !== undefined) return pronounce(given.word, given, io);
    const began = performance.now();
    const { seed, smoke, truth, rate, width } = given;
    const small = smoke ? { epochs: 20, hidden: 32, size: 20, dropout: 0 } : {};
    const { epochs, size, hidden, dropout } = { ...given, ...small };
    if (smoke) io.say("Smoke mode: words made by three rules stand in for the dictionary.");
    const { training, validation, test, phonemes } = (smoke ? ruledDictionary : readDictionary)(
      seed,
    );
    const run = await createRun({ ...given, kind: "spelling", options: given });

    const sizes = { phonemes: phonemes.length, hidden, dropout };
    const model = speller(sizes);
    let params = model.initial(seed);
    const updates = epochs * Math.floor(training.length / size);
    io.say(
      `${training.length} words to learn from, ${validation.length} to watch, ${test.length} to judge by; ${countParameters(params)} parameters, ${updates} updates`,
    );
    const optimizer = chain({
      clip: clipByGlobalNorm(1),
      adam: adam({ learningRate: oneCycle({ peak: rate, steps: updates, rising: 0.1 }) }),
    });
    let state = optimizer.init(params);
    const decode = (p: Params, batch: Batch, inputs: Tensor, noise?: Rng) =>
      model.decode(p, model.encode(p, batch.letters, batch.letterCounts, noise), inputs, noise);
    const lossOf = valueAndGrad((p: Params, batch: Batch, inputs: Tensor, noise: Rng) =>
      crossEntropy(decode(p, batch, inputs, noise).logits, batch.targets),
    );
    const transcriptions = (entries: readonly Entry[], beam: number) => {
      const words = entries.map(({ word }) => word);
      const codes = transcribe(model, params, words, beam);
      return codes.map((one) => one.map((code) => phonemes[code]!));
    };

    const [order, noise, own] = [rng(seed, "order"), rng(seed, "noise"), rng(seed, "sampling")];
    const length = ({ word, pronunciations }: Entry) =>
      100 * word.length + pronunciations[0]!.length;
    const curve: Epoch[] = [];
    const progress = io.progress({ total: updates, unit: "updates" });
    let done = 0;
    for (let epoch = 1; epoch <= epochs && !io.stopping(); epoch++) {
      const losses: number[] = [];
      for (const words of batches(training, { size, rng: order, length, dropLast: true })) {
        if (io.stopping()) break;
        // From the middle of the training on, more and more inputs are the model's own.
        const keep = 1 - (1 - truth) * Math.max(0, (2 * done) / updates - 1);
        [params, state] = scope(() => {
          const batch = batchOf(words, phonemes);
          const logits = (inputs: Tensor) => decode(params, batch, inputs).logits;
          const { inputs: given } = batch;
          const inputs = scheduledSampling({ inputs: given, logits, truth: keep, rng: own });
          const [loss, gradients] = lossOf(params, batch, inputs, noise);
          losses.push(loss.item());
          const [changes, next] = optimizer.update(gradients, state, params);
          return [applyUpdates(params, changes), next];
        });
        done++;
        if (done % 50 === 0) progress.update(done, `loss ${mean(losses.slice(-50)).toFixed(3)}`);
        // Ctrl-C arrives only between turns of the event loop.
        await new Promise(setImmediate);
      }
      const errors = errorsOf(validation, transcriptions(validation, 1));
      const seconds = (performance.now() - began) / 1000;
      curve.push({ epoch, loss: mean(losses), ...errors });
      run.log({
        epoch,
        loss: mean(losses),
        ...errors,
        seconds,
        processor: processorSeconds(),
      });
      await run.save({ params, sizes, symbols: phonemes });
      io.say(
        `epoch ${epoch}: ${percent(errors.phonemes)} of the phonemes of validation words wrong`,
      );
    }
    progress.stop();
    const [seconds, processor] = [(performance.now() - began) / 1000, processorSeconds()];
    io.say(
      `Trained for ${seconds.toFixed(0)} s, in which it had a processor for ${processor.toFixed(0)} s.`,
    );

    const greedy = errorsOf(test, transcriptions(test, 1));
    const beam = errorsOf(test, transcriptions(test, width));
    const baselines = Object.fromEntries(
      Object.entries({ "letter by letter": 0, "letters in context": 3 }).map(([name, reach]) => {
        const spell = countingSpeller(training, phonemes, reach);
        return [
          name,
          errorsOf(
            test,
            test.map(({ word }) => spell(word)),
          ),
        ];
      }),
    );
    await report({
      run,
      given,
      curve,
      greedy,
      beam,
      baselines,
      model,
      params,
      test,
      phonemes,
      seconds,
      processor,
    });
    for (const [name, errors] of Object.entries({
      ...baselines,
      greedy,
      [`beam of ${width}`]: beam,
    })) {
      io.say(
        `${name}: ${percent(errors.phonemes)} of phonemes wrong, ${percent(errors.words)} of words`,
      );
    }
    run.close();
    io.say(
      `Report, picture and speller are in ${run.path}; --word WORD --from ${run.path} asks it.`,
    );
    const figures = (["phonemes", "words"] as const).map((kind) => ({
      what: `error rate of ${kind}, held-out words`,
      unit: "%",
      value: 100 * beam[kind],
      better: "lower",
      baselines: Object.fromEntries(
        Object.entries(baselines).map(([name, errors]) => [name, 100 * errors[kind]]),
      ),
    }));
    io.result({ example: "spelling", figures, seconds, processor, seed });
  },
});

const processorSeconds = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

process.exitCode = await runCommand(command, process.argv.slice(2));
