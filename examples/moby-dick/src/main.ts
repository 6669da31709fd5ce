import { defaultBackend, nativeBlas } from "@chronograd/autodiff";
import { loadCorpus } from "./corpus.ts";
import { type Run, RunError, RunFolder } from "./folder.ts";
import { bits } from "./metrics.ts";
import { help, type Options, parseOptions, UsageError } from "./options.ts";
import { makeProgress } from "./progress.ts";
import { report } from "./report.ts";
import { train } from "./train.ts";

/**
 * Options of a resumed run: those of the earlier run, except how long it goes on, how often it
 * saves and how it samples.
 */
function goOn(options: Options, given: ReadonlySet<string>, earlier: Run["options"]): Options {
  const free = ["resume", "seconds", "windows", "save", "temperature"];
  const fixed = [...given].filter((name) => !free.includes(name));
  if (fixed.length > 0) {
    throw new UsageError(
      `--resume goes on with the options of ${options.resume}; leave out ${fixed.map((name) => `--${name}`).join(", ")}`,
    );
  }
  const { seconds, windows, save, temperature, resume } = options;
  return { ...earlier, seconds, windows, save, temperature, resume, name: undefined };
}

async function main(args: readonly string[]): Promise<void> {
  const parsed = parseOptions(args);
  if (parsed === undefined) {
    console.log(help());
    return;
  }
  const { resume } = parsed.options;
  const earlier = resume === undefined ? undefined : await RunFolder.open(resume);
  const options =
    earlier === undefined
      ? parsed.options
      : goOn(parsed.options, parsed.given, earlier.run.options);
  const corpus = loadCorpus(options.text, options.batch, earlier?.run.characters);
  if (earlier !== undefined && earlier.run.text !== corpus.digest) {
    throw new UsageError(
      `--resume: ${corpus.source} is another text than ${resume} has read; restore it, or begin a new run`,
    );
  }
  const done = earlier?.earlier.length ?? 0;
  if (options.windows !== undefined && options.windows <= done) {
    throw new UsageError(
      `--windows: ${resume} has ${done} windows already, got ${options.windows}; name more, or leave it out`,
    );
  }
  const folder =
    earlier?.folder ?? RunFolder.create(options.name, `${options.cell}-${options.hidden}`);

  const { cell, hidden, batch, k1, k2, clip, lr, seconds } = options;
  const size = corpus.training.length + corpus.heldOut.length;
  console.log(
    `${corpus.source}: ${size.toLocaleString("en")} characters, ${corpus.characters.length} distinct`,
  );
  console.log(
    `${cell} with ${hidden} hidden units, batch ${batch}, k1 = ${k1}, k2 = ${k2}, clip ${clip}, learning rate ${lr}`,
  );
  const { kernels } = defaultBackend();
  console.log(
    `Kernels: ${kernels.name}${nativeBlas().found ? "" : `; BLAS: ${nativeBlas().what}`}`,
  );
  console.log(
    `${earlier === undefined ? "Training" : "Going on"} for ${seconds} s into ${folder.path}; Ctrl-C stops, and --resume ${folder.path} goes on`,
  );

  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      if (stopping) process.exit(130);
      stopping = true;
    });
  }
  const progress = makeProgress();
  const result = await train(options, corpus, progress, folder, () => stopping, earlier).finally(
    () => progress.stop(),
  );

  const { metrics, heldOut, sample, parameters } = result;
  const page = report(metrics, {
    name: folder.path,
    source: corpus.source,
    options,
    parameters,
    heldOut,
    sample,
  });
  await folder.finish(page);
  if (stopping) console.log("Stopped; everything is kept.");
  console.log(
    `Held-out loss ${heldOut.toFixed(3)} nats (${bits(heldOut).toFixed(3)} bits) per character`,
  );
  console.log(`\nA sample at temperature ${options.temperature}:\n\n${sample}\n`);
  console.log(
    `${folder.path}/ has model.safetensors, metrics.jsonl and report.html; --resume ${folder.path} goes on`,
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isSentence = [UsageError, RunError, RangeError].some((kind) => error instanceof kind);
  if (!isSentence) throw error;
  console.error(`chronograd: ${(error as Error).message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
