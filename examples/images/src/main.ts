// Digits, read row by row and pixel by pixel: an LSTM says the class at the end. How far its
// gradient has to reach back is the question of the second part. See README.md.
import { scope } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { defineCommand, type Io, runCommand, runFlags } from "chronograd/command";
import { figure, page } from "chronograd/report";
import { createRun } from "chronograd/run";
import * as z from "zod";
import { bars, halved, type Images, mnistDigits, shifted } from "./digits.ts";
import { accuracyOf, reader, regression, type Training, trained } from "./model.ts";
import { accuracies, readings } from "./pictures.ts";

const options = z.object({
  ...runFlags,
  smoke: z.boolean().default(false).describe("a small run on noisy bars made by code"),
  task: z.enum(["rows", "pixels", "both"]).default("both").describe("what to train"),
  epochs: z.int().min(1).default(20).describe("times through the training set, row by row"),
  hidden: z.int().min(1).default(128).describe("units of the LSTM that reads rows"),
  pixelEpochs: z.int().min(1).default(8).describe("times through it, pixel by pixel"),
  pixelHidden: z.int().min(1).default(64).describe("units of the LSTM that reads pixels"),
});
const readable = (share: number) => `${(100 * share).toFixed(1)} %`;

const command = defineCommand({
  name: "images",
  summary: "Reads digits by rows, and by permuted pixels with several k2.",
  options,
  examples: ["npm run example images", "npm run example images -- --task rows"],
  async run(given, io) {
    const began = performance.now();
    const { seed, smoke, task, ...sizes } = given;
    if (smoke) io.say("Smoke mode: noisy bars made by code stand in for the digits.");
    const small = { epochs: 8, hidden: 24, pixelEpochs: 1, pixelHidden: 8 };
    const { epochs, hidden, pixelEpochs, pixelHidden } = smoke ? small : sizes;
    const { training, heldOut } = smoke ? bars(rng(seed, "bars")) : mnistDigits();
    const run = await createRun({ ...given, kind: "images", options: given });
    const sections = [];
    const figures = [];
    const images = `${training.classes.length} digits, ${heldOut.classes.length} held out`;

    if (task !== "pixels") {
      const linear = regression(training.side ** 2, seed);
      const flat = { seed, epochs: 10, size: 100, rate: 3e-3 };
      const baselines = {
        "most frequent class": mostFrequent(training, heldOut),
        "logistic regression": accuracyOf(linear, trained(linear, training, flat).params, heldOut),
      };
      // Each time an image is learned it is moved by up to two pixels.
      const move = rng(seed, "move");
      const augment = (image: Float32Array) =>
        shifted(image, training.side, move.integer(-2, 3), move.integer(-2, 3));
      const model = reader({ hidden, width: training.side, seed });
      const how = { seed, epochs, size: smoke ? 16 : 64, rate: 3e-3, augment };
      const { params } = trained(model, training, { ...how, ...reported("rows", epochs, io) });
      const value = accuracyOf(model, params, heldOut);
      io.say(
        `rows: ${readable(value)} of the held-out digits (logistic regression ${readable(baselines["logistic regression"])})`,
      );
      figures.push({ what: "accuracy, by rows", unit: "", value, better: "higher", baselines });

      const shown = [0, 3, 5, 7].map((digit) => heldOut.classes.indexOf(digit));
      const some = shown.map((i) => heldOut.pixels[i]!);
      const probabilities = scope(
        () => model.stepwise(params, some).softmax().transpose([1, 0, 2]).toArray() as number[][][],
      );
      const read = some.map((image, i) => ({ image, side: 28, probabilities: probabilities[i]! }));
      const html = figure(readings(read));
      await run.write("readings.svg", html);
      const note = "Beside each row: the probabilities of the ten classes once it is read.";
      sections.push({ heading: "By rows", note, html });
    }
    if (task !== "rows") {
      const [few, fewHeldOut] = [halved(training), halved(heldOut)];
      const steps = few.side ** 2;
      // The permutation of the pixels: one batch with all of them, in a drawn order.
      const pixels = [...few.pixels[0]!.keys()];
      const [order] = batches(pixels, { size: steps, rng: rng(seed, "pixels") });
      const table: { k2: number; loss: number; accuracy: number }[] = [];
      for (const k2 of [14, 49, 98, steps]) {
        const model = reader({ hidden: pixelHidden, width: 1, order: order!, k2, seed });
        const how = { seed, epochs: pixelEpochs, size: 100, rate: 5e-3 };
        const { params, loss } = trained(model, few, {
          ...how,
          ...reported(`k2 ${k2}`, pixelEpochs, io),
        });
        table.push({ k2, loss, accuracy: accuracyOf(model, params, fewHeldOut) });
        io.say(`pixels, k2 = ${k2}: ${readable(table.at(-1)!.accuracy)}`);
      }
      const html = figure(accuracies(table));
      await run.write("k2.svg", html);
      const rows = table.map(({ k2, loss, accuracy }) => [k2, loss.toFixed(3), readable(accuracy)]);
      sections.push({
        heading: "By permuted pixels",
        html: html + tableOf(["k2", "loss", "held out"], rows),
      });
      figures.push({
        what: `accuracy, by ${steps} permuted pixels`,
        unit: "",
        value: table.at(-1)!.accuracy,
        better: "higher",
        baselines: Object.fromEntries(table.slice(0, -1).map((x) => [`k2 = ${x.k2}`, x.accuracy])),
      });
    }
    await run.write(
      "report.html",
      page({ title: "Digits as sequences", facts: [`seed ${seed}`, images], sections }),
    );
    run.close();
    io.say(`Report and pictures are in ${run.path}.`);
    const seconds = (performance.now() - began) / 1000;
    io.result({ example: "images", figures, seconds, seed });
  },
});

/** The accuracy of one answer for all: the class that most images of the training set have. */
function mostFrequent(training: Images, { classes }: Images): number {
  const count = (all: readonly number[], digit: number) => all.filter((x) => x === digit).length;
  const counts = Array.from({ length: 10 }, (_, digit) => count(training.classes, digit));
  return count(classes, counts.indexOf(Math.max(...counts))) / classes.length;
}

/** A table as HTML; its cells hold numbers and names of ours. */
function tableOf(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const line = (cells: readonly unknown[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<table>${line(head, "th")}${rows.map((row) => line(row, "td")).join("")}</table>`;
}

/** Shows the progress of a training. */
function reported(what: string, epochs: number, io: Io): Pick<Training, "report"> {
  const progress = io.progress({ total: epochs, unit: "epochs" });
  return {
    report(epoch, loss) {
      progress.update(epoch, `${what}, loss ${loss.toFixed(3)}`);
      if (epoch === epochs) progress.stop();
    },
  };
}

process.exitCode = await runCommand(command, process.argv.slice(2));
