// Digits, read row by row and pixel by pixel: a GRU says the class at the end. How far its
// gradient has to reach back is the question of the second part. See README.md.
import { rng } from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { figure, page, type Section } from "chronograd/report";
import * as z from "zod";
import { mnistDigits } from "../../mnist.ts";
import { runOfFirst } from "../../ranks.ts";
import { bars } from "./digits.ts";
import { accuracies, readings, tableOf } from "./pictures.ts";
import { byPixels, pixelSteps, type Reach } from "./pixels.ts";
import { baselines, byRows } from "./rows.ts";

const options = z.object({
  ...runFlags,
  smoke: z.boolean().default(false).describe("a small run on noisy bars made by code"),
  task: z.enum(["rows", "pixels", "both"]).default("both").describe("what to train"),
  epochs: z.int().min(1).default(10).describe("times through the training set, row by row"),
  hidden: z.int().min(1).default(128).describe("units of the GRU that reads rows"),
  pixelEpochs: z.int().min(1).default(20).describe("times through it, pixel by pixel"),
  pixelHidden: z.int().min(1).default(64).describe("units of the GRU that reads pixels"),
  k2: z
    .array(z.int().min(1).max(pixelSteps))
    .min(1)
    .default([14, 49, 98, pixelSteps])
    .describe("how many steps back the loss reaches, pixel by pixel")
    .meta({ value: "N,N" }),
});
// Alone, or under mpiexec with others, which share each batch.
const communicator = mpi();
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

const command = defineCommand({
  name: "images",
  summary: "Reads digits by rows, and by permuted pixels with several k2.",
  options,
  examples: ["npm run example images", "npm run example images -- --task rows"],
  async run(given, io) {
    const began = performance.now();
    const { seed, smoke, task } = given;
    if (smoke) io.say("Smoke mode: noisy bars made by code stand in for the digits.");
    const small = { epochs: 8, hidden: 24, size: 16, pixelEpochs: 1, pixelHidden: 8 };
    const { epochs, hidden, size, pixelEpochs, pixelHidden } = smoke
      ? small
      : { size: 64, ...given };
    const split = smoke ? bars(rng(seed, "bars")) : mnistDigits(import.meta.url);
    const run = await runOfFirst(communicator, { ...given, kind: "images", options: given });
    const sections: Section[] = [];
    const figures: object[] = [];
    /** Shows how far a training is. */
    const reporting = (part: string, total: number) => {
      const progress = io.progress({ total, unit: "epochs" });
      return (epoch: number, loss: number) => {
        run?.log({ part, epoch, loss });
        progress.update(epoch, `${part}, loss ${loss.toFixed(3)}`);
        if (epoch === total) progress.stop();
      };
    };

    if (task !== "pixels") {
      const others = baselines(split, seed, communicator);
      const how = {
        seed,
        epochs,
        size,
        rate: 3e-3,
        communicator,
        report: reporting("rows", epochs),
      };
      const { accuracy, readings: read } = byRows(split, hidden, how);
      const shown = Object.entries(others).map(([name, share]) => `${name} ${percent(share)}`);
      io.say(`By rows: ${percent(accuracy)} of the held-out digits (${shown.join(", ")}).`);
      const what = "held-out accuracy, by rows";
      figures.push({ what, unit: "", value: accuracy, better: "higher", baselines: others });
      const html = figure(readings(read));
      await run?.write("readings.svg", html);
      const note = "Beside each row: the probabilities of the ten classes once it is read.";
      sections.push({ heading: `By rows: ${percent(accuracy)}`, note, html });
    }

    if (task !== "rows") {
      const reaches: Reach[] = [];
      const how = { seed, epochs: pixelEpochs, size: 100, rate: 6e-3, communicator };
      const of = (k2: number) => ({ ...how, report: reporting(`k2 = ${k2}`, pixelEpochs) });
      for (const reach of byPixels(split, pixelHidden, given.k2, of)) {
        reaches.push(reach);
        io.say(`By pixels, k2 = ${reach.k2}: ${percent(reach.accuracy)}.`);
      }
      const shorter = reaches.slice(0, -1).map(({ k2, accuracy }) => [`k2 = ${k2}`, accuracy]);
      figures.push({
        what: "held-out accuracy, by permuted pixels",
        unit: "",
        value: reaches.at(-1)!.accuracy,
        better: "higher",
        baselines: Object.fromEntries(shorter),
      });
      const html = figure(accuracies(reaches));
      await run?.write("k2.svg", html);
      const note = "The loss at the end reaches back k2 steps; the state before is a constant.";
      sections.push({ heading: "By permuted pixels", note, html: html + tableOf(reaches) });
    }

    if (run === undefined) return;
    const { training, heldOut } = split;
    const images = `${training.classes.length} digits, and ${heldOut.classes.length} held out`;
    const facts = [`seed ${seed}`, images];
    await run.write("report.html", page({ title: "Digits as sequences", facts, sections }));
    run.close();
    io.say(`Report and pictures are in ${run.path}.`);
    const seconds = (performance.now() - began) / 1000;
    io.result({ example: "images", figures, seconds, seed });
  },
});

process.exitCode = await runCommand(command, process.argv.slice(2), { communicator });
