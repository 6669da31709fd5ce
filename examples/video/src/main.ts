import type { Tensor } from "@chronograd/autodiff";
import { countParameters } from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { page } from "chronograd/report";
import * as z from "zod";
import { checkRows, runOfFirst } from "../../ranks.ts";
import { shapes, smallDigits } from "./digits.ts";
import { evaluate } from "./evaluate.ts";
import { forecast, forecaster } from "./model.ts";
import { errorCurves, picture } from "./report.ts";
import { train } from "./train.ts";

// Alone, or under mpiexec with others, which share each batch.
const communicator = mpi();
const [size, patch, seen, ahead] = [32, 4, 10, 10];

const video = defineCommand({
  name: "video",
  summary: "Learns how bouncing digits move on: sees ten frames, and says the next ten.",
  options: z.object({
    ...runFlags,
    digits: z.int().min(1).default(2).describe("digits in a sequence"),
    hidden: z.int().min(1).default(32).describe("channels of the ConvLSTM"),
    rows: z.int().min(1).default(8).describe("sequences in a batch"),
    updates: z.int().min(1).default(1800).describe("steps of the optimizer"),
    rate: z.number().positive().default(8e-3).describe("learning rate at the beginning"),
    heldOut: z.int().min(1).default(2000).describe("sequences of held-out digits"),
    smoke: z.boolean().default(false).describe("a few updates, with drawn shapes for digits"),
  }),
  examples: ["npm run example video", "npm run example video -- --digits 1 --updates 500"],
  async run({ name, force, smoke, ...options }, io) {
    const small = { updates: 10, heldOut: 20, hidden: 4, rows: 4 };
    const { seed, digits, hidden, rows, updates, rate, heldOut } = smoke
      ? { ...options, ...small }
      : options;
    if (smoke) io.say("A smoke run: rings and bars in place of digits, a small model, 10 updates.");
    checkRows(communicator, "--rows", rows);
    const folder = await runOfFirst(communicator, {
      kind: "video",
      options: { ...options, smoke },
      name,
      force,
    });
    const { training: images, heldOut: others } = smoke ? shapes() : smallDigits();
    const how = { size, count: digits, speed: 1.8, steps: seen + ahead };

    const started = process.cpuUsage();
    const model = forecaster({ size, patch, hidden });
    const losses: number[] = [];
    const progress = io.progress({ total: updates, unit: "updates" });
    const training = { seed, rows, updates, rate, ahead, how };
    const params = await train(model, images, training, communicator, (loss) => {
      losses.push(loss);
      folder?.log({ update: losses.length, loss });
      progress.update(losses.length, `loss ${mean(losses.slice(-50)).toFixed(4)}`);
      return !io.stopping();
    });
    progress.stop();
    if (folder === undefined) return;
    await folder.save({ params });
    const used = process.cpuUsage(started);
    const seconds = Math.round((used.user + used.system) / 1e6);

    // The evaluation: other digits, in sequences that are the same for every seed.
    const says = (frames: Tensor) => forecast(model, params, frames, ahead);
    const errors = evaluate(says, others, heldOut, seen, how);
    const { ConvLSTM: value = NaN, ...rest } = Object.fromEntries(
      Object.entries(errors).map(([what, each]) => [what, Number(mean(each).toFixed(2))]),
    );
    for (const [what, each] of Object.entries({ ConvLSTM: value, ...rest })) {
      io.say(`${each.toFixed(2).padStart(9)}  ${what}`);
    }
    const film = picture(says, others, seen, how);
    await folder.write("picture.svg", film);
    const title = "How bouncing digits move on";
    const facts = [
      `${digits} digits in a sequence, ${losses.length} updates with ${rows} sequences each`,
      `${countParameters(params)} parameters, ${seconds} s on one core, seed ${seed}`,
      `squared error of a frame: ${value}; with the last frame copied ${rest["last frame"]}`,
    ];
    const sections = [
      { heading: "Held-out digits: ten frames seen, ten said", html: film },
      { heading: "The error, by how far ahead a frame is", html: errorCurves(errors) },
    ];
    await folder.write("report.html", page({ title, facts, sections }));
    folder.close();
    io.say(`The report: ${folder.path}/report.html`);
    const what = "squared error of a frame, mean of ten ahead";
    const figure = { what, unit: "sum over 1,024 pixels", value, better: "lower", baselines: rest };
    io.result({ example: "video", figures: [figure], seconds, seed });
  },
});

function mean(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length;
}

process.exitCode = await runCommand(video, process.argv.slice(2), { communicator });
