import { setImmediate } from "node:timers/promises";
import { scope, type Tensor, valueAndGrad } from "@chronograd/autodiff";
import * as nn from "@chronograd/nn";
import { initialParams } from "@chronograd/rnn";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { page } from "chronograd/report";
import { createRun } from "chronograd/run";
import * as z from "zod";
import { bouncing } from "./bouncing.ts";
import { shapes, smallDigits } from "./digits.ts";
import { evaluate } from "./evaluate.ts";
import { forecast, forecaster, logitsOf } from "./model.ts";
import { errorCurves, picture } from "./report.ts";

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
    const folder = await createRun({ kind: "video", options: { ...options, smoke }, name, force });
    const { training, heldOut: others } = smoke ? shapes() : smallDigits();
    const how = { size, count: digits, speed: 1.8, steps: seen + ahead };

    // The training: the loss of every frame but the first.
    const started = process.cpuUsage();
    const model = forecaster({ size, patch, hidden });
    let params = initialParams(model, nn.rng(seed, "parameters"));
    const lossOf = valueAndGrad((p: typeof params, frames: Tensor, shown: number) => {
      const logits = logitsOf(model, p, frames.slice([[0, -1]]), shown);
      return nn.binaryCrossEntropyFromLogits(logits, frames.slice([[1, how.steps]]));
    });
    const optimizer = nn.chain({
      clip: nn.clipByGlobalNorm(1),
      adam: nn.adam({ learningRate: nn.cosineDecay({ initial: rate, steps: updates }) }),
    });
    let state = optimizer.init(params);
    const random = nn.rng(seed, "sequences");
    const losses: number[] = [];
    const progress = io.progress({ total: updates, unit: "updates" });
    while (losses.length < updates && !io.stopping()) {
      [params, state] = scope(() => {
        // It sees all frames at first, and after 3/5 of the training no more than it will see.
        const unseen = Math.min(ahead - 1, Math.floor((ahead * losses.length) / (0.6 * updates)));
        const frames = bouncing(random, training, rows, how);
        const [loss, gradients] = lossOf(params, frames, how.steps - 1 - unseen);
        losses.push(loss.item());
        const [steps, next] = optimizer.update(gradients, state, params);
        return [nn.applyUpdates(params, steps), next];
      });
      folder.log({ update: losses.length, loss: losses.at(-1) });
      progress.update(losses.length, `loss ${mean(losses.slice(-50)).toFixed(4)}`);
      await setImmediate();
    }
    progress.stop();
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
      `${nn.countParameters(params)} parameters, ${seconds} s on one core, seed ${seed}`,
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

process.exitCode = await runCommand(video, process.argv.slice(2));
