// Spoken digits: single ones, those of a speaker who was never heard, and digits one after another.
import { mpi } from "@chronograd/nn/node";
import { defineCommand, type Io, runCommand, runFlags, UsageError } from "chronograd/command";
import { page } from "chronograd/report";
import * as z from "zod";
import { runOfFirst } from "../../ranks.ts";
import { connectedDigits } from "./connected.ts";
import { listen } from "./listen.ts";
import { alignmentFigure } from "./picture.ts";
import { readRecordings } from "./recordings.ts";
import { singleDigits } from "./single.ts";
import { tones } from "./tones.ts";

// Alone, or under mpiexec with others, which share each batch.
const communicator = mpi();

const schema = z.object({
  data: z
    .string()
    .default("../shared/data/fsdd")
    .describe("folder of the Free Spoken Digit Dataset")
    .meta({ value: "DIR" }),
  speaker: z.string().default("theo").describe("who is held out in the second training"),
  hidden: z.int().min(1).default(64).describe("size of a layer in one direction"),
  epochs: z.int().min(1).default(12).describe("times through the single digits"),
  connectedEpochs: z.int().min(1).default(15).describe("times through the connected digits"),
  listen: z
    .string()
    .optional()
    .describe("read the digits of a recording, by the latest run or that of --name")
    .meta({ value: "FILE.wav" }),
  smoke: z.boolean().default(false).describe("telephone tones in place of speech, in seconds"),
  ...runFlags,
});
type Options = z.output<typeof schema>;

async function run(options: Options, io: Io): Promise<void> {
  if (options.listen !== undefined) {
    if (communicator.rank === 0) await listen(options.listen, options.name, io);
    return;
  }
  const started = performance.now();
  const { seed, smoke } = options;
  const hidden = smoke ? 16 : options.hidden;
  const epochs = smoke ? 8 : options.epochs;
  const all = smoke ? tones(seed) : readRecordings(options.data);
  if (smoke) io.say("Smoke: telephone tones stand in for speech, so the figures mean nothing.");
  const speaker = smoke ? "high" : options.speaker;
  if (!all.some((each) => each.speaker === speaker)) {
    const known = [...new Set(all.map((each) => each.speaker))].join(", ");
    throw new UsageError(`--speaker must be one of ${known}, got ${JSON.stringify(speaker)}`);
  }
  const { force, name } = options;
  const folder = await runOfFirst(communicator, { kind: "speech", options, force, name });

  // Takes 0 to 4 of each digit and speaker are the test set, as the set's authors have it.
  const test = all.filter(({ take }) => take < 5);
  const training = all.filter(({ take }) => take >= 5);
  const by = (is: boolean) => all.filter((each) => (each.speaker === speaker) === is);
  const settings = { seed, hidden, epochs };
  const around = { io, folder, communicator };
  const digits = await singleDigits("single digits", training, test, settings, around);
  const heldOut = await singleDigits(
    `single digits of ${speaker}`,
    by(false),
    by(true),
    settings,
    around,
  );

  // Digits one after another: at each step a digit or the blank, aligned by the loss.
  const { figure, net, params, spoken } = await connectedDigits(
    training,
    test,
    { seed, hidden, epochs: smoke ? 2 : options.connectedEpochs },
    around,
  );

  if (folder === undefined) return;
  const figures = [digits, heldOut, figure];
  const lines = figures.map(
    ({ what, value, unit, baselines }) =>
      `${what}: ${value.toFixed(1)} ${unit}; ${Object.entries(baselines).map(([of, x]) => `${of} ${x.toFixed(1)} %`)}`,
  );
  for (const line of lines) io.say(line);
  const svg = alignmentFigure(
    net,
    params,
    spoken.find((each) => each.digits.length === 6) ?? spoken[0]!,
  );
  const note =
    "Above the sound in bands of mel, below the probabilities of the digits and of the blank (dashed).";
  await folder.save({ hidden, params });
  await folder.write("alignment.svg", svg);
  const sections = [{ heading: "Where the digits are", note, html: svg }];
  await folder.write("report.html", page({ title: "Spoken digits", facts: lines, sections }));
  folder.close();
  io.say(`Report: ${folder.path}/report.html`);
  const seconds = (performance.now() - started) / 1000;
  io.result({ example: "speech", figures, seconds, seed });
}

const command = defineCommand({
  name: "npm run example speech --",
  summary: "Learns to read spoken digits, one at a time and one after another.",
  options: schema,
  examples: ["npm run example speech", "npm run example speech -- --listen message.wav"],
  run,
});
process.exitCode = await runCommand(command, process.argv.slice(2), { communicator });
