import { basename } from "node:path";
import { isMainThread } from "node:worker_threads";
import { defaultBackend, nativeBlas } from "@chronograd/autodiff";
import { type Communicator, rng, selfCommunicator } from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { checkWindow } from "../checkWindow.ts";
import { counted } from "../command/counted.ts";
import { type Command, defineCommand } from "../command/define.ts";
import { UsageError } from "../command/errors.ts";
import { schemaOf } from "../command/flags.ts";
import type { Io } from "../command/io.ts";
import { firstFails, ioOf } from "../command/ranks.ts";
import { showFlow, usualFlow } from "../instruments/flow.ts";
import { parseSizes } from "../modules/sizes.ts";
import { createRun } from "../run/create.ts";
import type { RunDescription } from "../run/description.ts";
import type { RunFolder } from "../run/folder.ts";
import { openRun } from "../run/open.ts";
import { taskOf } from "../tasks/taskOf.ts";
import { type Checkpoint, kind } from "../training/checkpoint.ts";
import { checkLoss, finish } from "../training/finish.ts";
import { kernelLine } from "../training/kernelLine.ts";
import { train as learn } from "../training/loop.ts";
import type { Metrics } from "../training/metrics.ts";
import { modelOf, trainedModel } from "../training/model.ts";
import { type TrainOptions, trainOptions } from "../training/options.ts";
import { nowhere, ofFirst } from "../training/ranks.ts";
import { limitsOf, resumedLimits, resumedOptions } from "../training/resume.ts";
import { keptOptions, savedOf } from "../training/saved.ts";
import { sentence } from "../training/sentence.ts";
import { checkOuter, checkSharing, sharingLine } from "../training/sharing.ts";

/** Trains a recurrent network by truncated back-propagation through time. */
export const train: Command = defineCommand({
  name: "train",
  summary: "Trains a recurrent network on a text, a CSV file or a module, into a run folder.",
  positionals: [{ name: "config", description: "a JSON file with options (--print-schema)" }],
  config: "config",
  options: trainOptions,
  examples: [
    "chronograd train --text book.txt",
    "chronograd train --csv weather.csv --columns temp_max,temp_min --hidden 32",
    "chronograd train --data ./batches.ts --cell ./my-cell.ts --windows 2000",
    "chronograd train config.json --seconds 600",
    "chronograd train --resume runs/gru-256-1 --seconds 60",
  ],
  async run(options, io, given) {
    if (options.printSchema) {
      io.result(schemaOf(trainOptions));
      io.say(JSON.stringify(schemaOf(trainOptions), null, 2));
      return;
    }
    await run(options, io, given);
  },
});

async function run(asked: TrainOptions, own: Io, given: ReadonlySet<string>): Promise<void> {
  const communicator = isMainThread ? mpi() : selfCommunicator;
  const io = ioOf(communicator, own);
  await firstFails(communicator, () =>
    communicator.rank === 0
      ? lead(asked, io, given, communicator)
      : follow(asked, io, given, communicator),
  );
}

/** The first rank, or a process alone: it has the folder. */
async function lead(
  asked: TrainOptions,
  io: Io,
  given: ReadonlySet<string>,
  communicator: Communicator,
): Promise<void> {
  const { resume } = asked;
  const resumed =
    resume === undefined ? undefined : await openRun<Checkpoint, Metrics>(resume, kind, io.say);
  let folder = resumed?.folder;
  try {
    const saved = resumed && {
      options: resumed.folder.run.options,
      checkpoint: resumed.checkpoint,
      metrics: resumed.metrics,
    };
    ofFirst(communicator, saved ?? null);
    const job = await jobOf(asked, given, saved, communicator.size);
    const { options } = job;
    const stem = `${basename(options.cell).replace(/\.\w+$/, "")}-${options.hidden}`;
    folder ??= await createRun({ kind, stem, ...options, options: keptOptions(options) });
    await work({ ...job, folder, communicator }, io).catch((error: unknown) => {
      throw sentence(error);
    });
  } finally {
    folder?.close();
  }
}

/** The other ranks: they train on their rows, and write nothing. */
async function follow(
  asked: TrainOptions,
  io: Io,
  given: ReadonlySet<string>,
  communicator: Communicator,
): Promise<void> {
  const saved = ofFirst<Saved | null>(communicator, null) ?? undefined;
  const job = await jobOf(asked, given, saved, communicator.size);
  await learn({ ...job, folder: nowhere, communicator }, io).catch((error: unknown) => {
    throw sentence(error);
  });
}

/** What a run folder has of an earlier part of the run. */
interface Saved {
  readonly options: RunDescription["options"];
  readonly checkpoint: Checkpoint;
  readonly metrics: readonly Metrics[];
}

/** What is to be trained. Throws a `UsageError` for options that do not fit together. */
async function jobOf(
  asked: TrainOptions,
  given: ReadonlySet<string>,
  resumed: Saved | undefined,
  ranks: number,
) {
  const { resume } = asked;
  const saved = resumed && savedOf(resume!, resumed.options, resumed.checkpoint);
  const chosen = saved === undefined ? asked : resumedOptions(asked, given, saved);
  const limits = saved === undefined ? limitsOf(asked) : resumedLimits(asked, given, saved);
  checkWindow(chosen);
  checkOuter(chosen, given);
  checkSharing(chosen, limits, ranks);
  const task = await taskOf(chosen, saved?.checkpoint.task);
  const { hidden: named } = parseSizes(chosen.size);
  if (named !== undefined && chosen.hidden !== undefined && named !== chosen.hidden) {
    throw new UsageError(
      `--size hidden=${named} and --hidden ${chosen.hidden} disagree; give one of them`,
    );
  }
  const size = typeof named === "number" ? named : undefined;
  const options = { ...chosen, hidden: chosen.hidden ?? size ?? task.hidden };
  if (saved !== undefined && saved.checkpoint.digest !== task.digest) {
    throw new UsageError(
      `--resume: ${task.title} has other data than ${resume} has read; restore it, or begin a new run`,
    );
  }
  const model = await (saved === undefined
    ? modelOf(options, task.interface)
    : trainedModel(resume!, options, task.interface, saved.checkpoint.params));
  return { options, task, model, ...limits, ...(resumed && { resumed }) };
}

/** Trains, measures what was learnt, and writes the report. */
async function work(
  job: Awaited<ReturnType<typeof jobOf>> & {
    readonly folder: RunFolder;
    readonly communicator: Communicator;
  },
  io: Io,
): Promise<void> {
  const { options, task, folder, resumed, end, windows } = job;
  const { hidden, layers, batch, k1, k2, clip, lr } = options;
  const { size } = job.communicator;
  io.say(task.description);
  io.say(
    `${basename(options.cell)}${layers > 1 ? `, ${layers} layers` : ""} with ${hidden} hidden units, batch ${batch}, k1 = ${k1}, k2 = ${k2}, clip ${clip}, learning rate ${lr}`,
  );
  const { name: kernels } = defaultBackend().kernels;
  io.say(kernelLine({ kernels, blas: nativeBlas(), platform: process.platform }));
  const sharing = sharingLine(options, size);
  if (sharing !== undefined) io.say(sharing);
  const left = (end ?? 0) - (resumed?.checkpoint.seconds ?? 0);
  const long = windows === undefined ? `${left.toFixed(0)} s` : counted(windows, "window");
  io.say(
    `${resumed === undefined ? `Training for ${long} into` : `Going on for ${long} in`} ${folder.path}; Ctrl-C stops, and --resume ${folder.path} goes on`,
  );
  const outcome = await learn(job, io);
  if (io.stopping()) io.say("Stopped; everything is kept.");
  const evaluation = task.evaluate(outcome.trained);
  const random = rng(options.seed).split(`sample ${outcome.windows}`);
  const sample = task.sample?.(outcome.trained, random);
  const result = await finish(folder, { options, task, outcome, evaluation, sample });
  for (const line of [...evaluation.lines, ...(sample?.lines ?? [])]) io.say(line);
  io.say(`${folder.path}/ has model.safetensors, metrics.jsonl and report.html`);
  const shown =
    options.flow && !io.stopping()
      ? await showFlow(
          {
            run: folder.path,
            task,
            trained: outcome.trained,
            windows: outcome.windows,
            options,
            ...usualFlow,
          },
          io,
        )
      : undefined;
  io.result({ run: folder.path, ...result, ...(shown && { flow: shown }) });
  checkLoss(folder.path, evaluation);
}
