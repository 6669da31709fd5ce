// The next character of a text: four recurrent cells of equal size learn Moby Dick, or first names,
// and are judged on a part that they never saw. The LSTM then writes. See README.md.
import { bitsPerSymbol } from "@chronograd/nn/metrics";
import { mpi } from "@chronograd/nn/node";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { page } from "chronograd/report";
import { corpusTask } from "chronograd/text";
import { modelOf, train, trainOptions } from "chronograd/training";
import * as z from "zod";
import { isSo, runOfFirst } from "../../ranks.ts";
import { baselines } from "./baselines.ts";
import { decoded } from "./decoding.ts";
import { type Curve, curves } from "./picture.ts";
import { batch, type CellName, studies } from "./texts.ts";

const cells = ["lstm", "gru", "elman", "minGru"] as const;

const options = z.object({
  ...runFlags,
  smoke: z.boolean().default(false).describe("a small run on sentences made by code"),
  text: z.enum(["book", "names"]).default("book").describe("Moby Dick, or first names"),
  cells: z
    .array(z.enum(cells))
    .default([...cells])
    .describe("which cells learn")
    .meta({ value: "A,B" }),
  windows: z
    .int()
    .min(1)
    .optional()
    .describe("windows of 50 characters; 6000 of the book unless given"),
  lr: z.number().positive().optional().describe("largest learning rate; one by cell unless given"),
});

// Alone, or under mpiexec with others, which share each batch.
const communicator = mpi();

const command = defineCommand({
  name: "language",
  summary: "Compares recurrent cells of equal size on the next character of a text.",
  options,
  examples: ["npm run example language", "npm run example language -- --text names --cells lstm"],
  async run(asked, io) {
    const began = performance.now();
    const { seed } = asked;
    if (asked.smoke) io.say("Smoke mode: sentences made by code stand in for the book.");
    const study = studies[asked.smoke ? "standIn" : asked.text];
    const windows = asked.windows ?? study.windows;
    const corpus = study.corpus();
    const { source, training, heldOut } = corpus;
    const count = (n: number) => n.toLocaleString("en");
    io.say(
      `${source}: ${count(training.length)} characters, and ${count(heldOut.length)} held out`,
    );
    const others = baselines(corpus);
    for (const [name, bits] of Object.entries(others)) {
      io.say(`${name}: ${bits.toFixed(3)} bits per character`);
    }
    const folder = await runOfFirst(communicator, { kind: "language", ...asked, options: asked });

    const task = corpusTask(corpus, { batch, temperature: 1 });
    const found: (Curve & { parameters: number; seconds: number })[] = [];
    const sections = [];
    for (const cell of asked.cells satisfies CellName[]) {
      const warmup = Math.min(100, Math.ceil(windows / 10));
      const hidden = study.hidden[cell];
      const given = { cell, hidden, lr: asked.lr ?? study.lr[cell], warmup, batch, windows, seed };
      const settings = { ...trainOptions.parse(given), hidden };
      const model = await modelOf(settings, task.interface);
      const cpu = process.cpuUsage();
      const { trained, metrics, parameters } = await train(
        {
          ...{ options: settings, task, model, windows, end: undefined, communicator },
          folder: { log: (line) => folder?.log({ cell, ...line }), save: async () => {} },
        },
        io,
      );
      const { user, system } = process.cpuUsage(cpu);
      const seconds = (user + system) / 1e6;
      if (isSo(communicator, io.stopping)) break;
      if (folder === undefined) continue;
      // One pass over the whole held-out text, with the state carried from character to character.
      const bits = bitsPerSymbol([task.evaluate(trained).loss!]);
      const points = metrics.map(({ step, loss }) => {
        return { characters: step * batch, bits: bitsPerSymbol([loss]) };
      });
      found.push({ cell, points, heldOut: bits, parameters, seconds });
      io.say(
        `${cell}, ${hidden} hidden units, ${count(parameters)} parameters: ${bits.toFixed(3)} bits per character held out, after ${seconds.toFixed(1)} s of processor time`,
      );
      if (cell !== asked.cells[0]) continue;
      sections.push(...decoded(trained, corpus, { ...study, seed }));
    }

    if (folder === undefined) return;
    const picture = curves(found, others);
    await folder.write("picture.svg", picture);
    const facts = [
      `${count(windows)} windows of ${batch} x 50 characters, seed ${seed}`,
      ...found.map(({ cell, heldOut: bits, parameters, seconds }) => {
        return `${cell}: ${bits.toFixed(3)} bits per character, ${count(parameters)} parameters, ${seconds.toFixed(1)} s`;
      }),
    ];
    const note =
      "Lines: the windows of training. Dots: the whole held-out text. Dashed: baselines.";
    const learning = { heading: "Bits per character", note, html: picture };
    const title = `${source}, character by character`;
    await folder.write("report.html", page({ title, facts, sections: [learning, ...sections] }));
    folder.close();
    io.say(`Report and picture are in ${folder.path}.`);
    io.result({
      example: "language",
      figures: found.map(({ cell, heldOut: value }) => {
        const what = `${cell}, ${source}, held out`;
        return { what, unit: "bits per character", value, better: "lower", baselines: others };
      }),
      seconds: (performance.now() - began) / 1000,
      seed,
    });
  },
});

process.exitCode = await runCommand(command, process.argv.slice(2), { communicator });
