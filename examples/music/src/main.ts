// Four-part chorales of Bach: an LSTM learns which keys of a piano sound in the next chord, plays
// chorales of its own, and harmonises a soprano. See README.md.
import { clone, scope, tree, valueAndGrad } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm, cosineDecay, rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import * as Plot from "@observablehq/plot";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { encodeMidi } from "chronograd/data";
import { figure, page, pianoRoll } from "chronograd/report";
import { createRun } from "chronograd/run";
import * as z from "zod";
import { frequencies } from "./baselines.ts";
import { type Chorale, cadences, readChorales, transposed } from "./chorales.ts";
import { choraleModel, evaluate, type Params } from "./model.ts";
import { compose, harmonise } from "./sample.ts";

const options = z.object({
  ...runFlags,
  data: z.string().default("../shared/data").describe("folder of the data").meta({ value: "DIR" }),
  smoke: z.boolean().default(false).describe("a small run on cadences made by code"),
  epochs: z.int().min(1).default(150).describe("times through the training set"),
  hidden: z.int().min(1).default(256).describe("units of the LSTM"),
  dropout: z.number().min(0).lt(1).default(0.2).describe("share of its outputs that are dropped"),
  size: z.int().min(1).default(16).describe("chorales in a batch"),
  rate: z.number().positive().default(5e-3).describe("learning rate of Adam at the beginning"),
  original: z.boolean().default(false).describe("train in the original keys alone"),
  soprano: z
    .string()
    .regex(/^\d+( \d+)*$/, "expected MIDI numbers, as in 67 69 71")
    .transform((text) => text.split(" ").map(Number))
    .optional()
    .describe("what to harmonise; that of the first test chorale unless given")
    .meta({ value: '"67 69 71 ..."' }),
  temperature: z.number().positive().default(0.8).describe("divides the logits when it plays"),
});

const curves = (points: readonly { epoch: number; set: string; nats: number }[]) => ({
  y: { label: "nats per chord", grid: true },
  marks: [
    Plot.line(points, { x: "epoch", y: "nats", stroke: "set" }),
    Plot.text(points, Plot.selectLast({ x: "epoch", y: "nats", z: "set", text: "set", dy: -8 })),
  ],
});

const command = defineCommand({
  name: "music",
  summary: "Learns Bach's chorales, plays new ones, and harmonises a soprano.",
  options,
  examples: ["npm run example music", "npm run example music -- --smoke"],
  async run(given, io) {
    const began = performance.now();
    const { seed, smoke, original } = given;
    const small = smoke ? { epochs: 30, hidden: 32, size: 4 } : {};
    const { epochs, size, ...sizes } = { ...given, ...small };
    if (smoke) io.say("Smoke mode: cadences made by code stand in for the chorales.");
    const data = smoke ? cadences(rng(seed, "cadences")) : await readChorales(given.data);
    const run = await createRun({ ...given, kind: "music", options: given });

    const model = choraleModel(sizes);
    let params = model.initial(seed);
    const optimizer = chain({
      clip: clipByGlobalNorm(1),
      adam: adam({
        learningRate: cosineDecay({
          initial: given.rate,
          final: given.rate / 50,
          steps: epochs * Math.ceil(data.train.length / size),
        }),
      }),
    });
    let state = optimizer.init(params);
    const [order, noise, key] = [rng(seed, "order"), rng(seed, "noise"), rng(seed, "keys")];
    const lossOf = valueAndGrad((p: Params, batch: readonly Chorale[]) => {
      const chords = batch.reduce((count, { length }) => count + length, 0);
      return model.losses(p, batch, noise).sum().div(chords);
    });

    const curve: { epoch: number; set: string; nats: number }[] = [];
    let best = { nats: Number.POSITIVE_INFINITY, epoch: 0, params };
    const progress = io.progress({ total: epochs, unit: "epochs" });
    for (let epoch = 1; epoch <= epochs && !io.stopping(); epoch++) {
      const losses: number[] = [];
      for (const chorales of batches(data.train, { size, rng: order, length: (c) => c.length })) {
        const batch = chorales.map((c) => transposed(c, original ? 0 : key.integer(-5, 7)));
        [params, state] = scope(() => {
          const [loss, gradients] = lossOf(params, batch);
          losses.push(loss.item());
          const [updates, next] = optimizer.update(gradients, state, params);
          return [applyUpdates(params, updates), next];
        });
      }
      const train = losses.reduce((a, b) => a + b) / losses.length;
      const nats = evaluate(model, params, data.valid);
      if (nats < best.nats) best = { nats, epoch, params: tree.map(params, clone) };
      curve.push({ epoch, set: "training", nats: train }, { epoch, set: "validation", nats });
      run.log({ epoch, train, valid: nats });
      progress.update(epoch, `training ${train.toFixed(2)}, validation ${nats.toFixed(2)} nats`);
    }
    progress.stop();

    const nats = evaluate(model, best.params, data.test);
    const baselines = {
      "frequency of keys": frequencies(data.train, data.test, false),
      "key after key": frequencies(data.train, data.test, true),
      ...(smoke ? {} : { "published LSTM": 8.45 }),
    };
    const shown = Object.entries(baselines).map(([name, x]) => `${name} ${x.toFixed(2)}`);
    io.say(`${nats.toFixed(3)} nats per chord of the test set (${shown.join(", ")}).`);

    const bach = data.test[0]!;
    const soprano =
      given.soprano ?? bach.map((chord) => (chord.length > 0 ? Math.max(...chord) : undefined));
    const { temperature } = given;
    const own = compose(model, best.params, rng(seed, "own"), { steps: 64, temperature });
    const harmony = harmonise(model, best.params, soprano, rng(seed, "harmony"), {
      particles: smoke ? 16 : 256,
      temperature,
    });
    await run.write("own.mid", encodeMidi(own, { program: 19 }));
    await run.write("harmony.mid", encodeMidi(harmony, { program: 19 }));
    const melody = soprano.map((pitch) => (pitch === undefined ? [] : [pitch]));
    const below = (chorale: Chorale) => chorale.map((c, t) => c.filter((p) => p !== soprano[t]));
    const harmonised = figure(
      pianoRoll({ "the model's voices": below(harmony), "given soprano": melody }),
    );
    await run.write("harmony.svg", harmonised);
    const facts = [
      `seed ${seed}`,
      `${nats.toFixed(3)} nats per chord, from epoch ${best.epoch}`,
      ...shown,
    ];
    const sections = [
      { heading: "A soprano, harmonised", note: "harmony.mid", html: harmonised },
      {
        heading: "What Bach wrote below it",
        html: figure(pianoRoll({ Bach: below(bach), soprano: melody })),
      },
      {
        heading: "A chorale of the model's own",
        note: "own.mid",
        html: figure(pianoRoll({ own })),
      },
      { heading: "Learning", note: "Nats per chord.", html: figure(curves(curve)) },
    ];
    await run.write("report.html", page({ title: "Chorales", facts, sections }));
    run.close();
    io.say(`Report, pictures and MIDI files are in ${run.path}.`);
    const seconds = (performance.now() - began) / 1000;
    const what = "negative log-likelihood of a chord, test set";
    const figures = [{ what, unit: "nats", value: nats, better: "lower", baselines }];
    io.result({ example: "music", figures, seconds, seed });
  },
});

process.exitCode = await runCommand(command, process.argv.slice(2));
