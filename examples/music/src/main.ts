// Four-part chorales of Bach: an LSTM learns which keys of a piano sound in the next chord, plays
// chorales of its own, and harmonises a soprano. See README.md.
import { rng } from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { encodeMidi } from "chronograd/data";
import { figure, page, pianoRoll } from "chronograd/report";
import * as z from "zod";
import { runOfFirst } from "../../ranks.ts";
import { frequencies } from "./baselines.ts";
import { cadences, readChorales } from "./chorales.ts";
import { choraleModel, evaluate } from "./model.ts";
import { curves, harmony } from "./pictures.ts";
import { compose, harmonise } from "./sample.ts";
import { type Epoch, train } from "./train.ts";

const options = z.object({
  ...runFlags,
  data: z.string().default("../shared/data").describe("folder of the data").meta({ value: "DIR" }),
  smoke: z.boolean().default(false).describe("a small run on cadences made by code"),
  epochs: z.int().min(1).default(50).describe("times through the training set"),
  hidden: z.int().min(1).default(200).describe("units of the LSTM"),
  dropout: z.number().min(0).lt(1).default(0.3).describe("share of its outputs that are dropped"),
  size: z.int().min(1).default(8).describe("chorales in a batch"),
  rate: z.number().positive().default(8e-3).describe("learning rate of Adam at the beginning"),
  transpose: z
    .number()
    .min(0)
    .max(1)
    .default(0.4)
    .describe("share of chorales moved to another key"),
  soprano: z
    .string()
    .regex(/^\d+( \d+)*$/, "expected MIDI numbers, as in 67 69 71")
    .transform((text) => text.split(" ").map(Number))
    .pipe(z.array(z.int().min(21).max(108)))
    .optional()
    .describe("what to harmonise; that of the first test chorale unless given")
    .meta({ value: '"67 69 71 ..."' }),
  temperature: z.number().positive().default(0.8).describe("divides the logits when it plays"),
});

// Alone, or under mpiexec with others, which share each batch.
const communicator = mpi();

const command = defineCommand({
  name: "music",
  summary: "Learns Bach's chorales, plays new ones, and harmonises a soprano.",
  options,
  examples: ["npm run example music", "npm run example music -- --smoke"],
  async run(given, io) {
    const began = performance.now();
    const { seed, smoke, temperature } = given;
    if (smoke) io.say("Smoke mode: cadences made by code stand in for the chorales.");
    const sizes = { ...given, ...(smoke && { epochs: 30, hidden: 32, size: 4 }) };
    const data = smoke ? cadences(rng(seed, "cadences")) : await readChorales(given.data);
    const run = await runOfFirst(communicator, { ...given, kind: "music", options: given });

    // Training: the parameters that are best on the validation set.
    const model = choraleModel(sizes);
    const epochs: Epoch[] = [];
    const progress = io.progress({ total: sizes.epochs, unit: "epochs" });
    const params = train(model, data, sizes, communicator, (epoch) => {
      epochs.push(epoch);
      run?.log(epoch);
      const [training, valid] = [epoch.train.toFixed(2), epoch.valid.toFixed(2)];
      progress.update(epoch.epoch, `training ${training}, validation ${valid} nats per chord`);
      return !io.stopping();
    });
    progress.stop();
    if (run === undefined) return;

    // The test set is read once.
    const value = evaluate(model, params, data.test);
    const baselines = {
      "frequency of keys": frequencies(data.train, data.test, false),
      "key after key": frequencies(data.train, data.test, true),
      ...(!smoke && { "published LSTM": 8.45 }),
    };
    const others = Object.entries(baselines).map(([name, nats]) => `${name} ${nats.toFixed(2)}`);
    io.say(`${value.toFixed(3)} nats per chord of the test set (${others.join(", ")}).`);

    // Playing: 16 bars of its own, and three voices below a soprano.
    const bach = data.test[0]!;
    const soprano = given.soprano ?? bach.map((chord) => [...chord].sort((a, b) => b - a)[0]);
    const own = compose(model, params, rng(seed, "own"), { steps: 64, temperature });
    const particles = smoke ? 16 : 256;
    const played = { particles, temperature };
    const chorale = harmonise(model, params, soprano, rng(seed, "harmony"), played);
    await run.write("own.mid", encodeMidi(own, { program: 19 }));
    await run.write("harmony.mid", encodeMidi(chorale, { program: 19 }));

    const picture = harmony(chorale, soprano, "voices of the model");
    await run.write("harmony.svg", picture);
    const sections = [
      { heading: "A soprano, harmonised", note: "The file harmony.mid.", html: picture },
      ...(given.soprano === undefined
        ? [{ heading: "What Bach wrote below it", html: harmony(bach, soprano, "voices of Bach") }]
        : []),
      {
        heading: "A piece of its own",
        note: "The file own.mid.",
        html: figure(pianoRoll({ own })),
      },
      { heading: "Learning", html: curves(epochs) },
    ];
    const facts = [`seed ${seed}`, `${value.toFixed(3)} nats per chord of the test set`, ...others];
    await run.write("report.html", page({ title: "Chorales", facts, sections }));
    run.close();
    io.say(`Report, pictures and MIDI files are in ${run.path}.`);
    const what = "negative log-likelihood of a chord";
    const figures = [{ what, unit: "nats", value, better: "lower", baselines }];
    const seconds = (performance.now() - began) / 1000;
    io.result({ example: "music", figures, seconds, seed });
  },
});

process.exitCode = await runCommand(command, process.argv.slice(2), { communicator });
