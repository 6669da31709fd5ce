import { defaultBackend, nativeBlas } from "@chronograd/autodiff";
import { loadCorpus } from "./corpus.ts";
import { RunFolder } from "./folder.ts";
import { bits } from "./metrics.ts";
import { help, type Options, parseOptions, UsageError } from "./options.ts";
import { makeProgress } from "./progress.ts";
import { report } from "./report.ts";
import { train } from "./train.ts";

/**
 * Options of a resumed run: those of the earlier run, except how long it goes on and how it
 * samples.
 */
function goOn(options: Options, given: ReadonlySet<string>, earlier: Options): Options {
  const free = ["resume", "seconds", "temperature"];
  const fixed = [...given].filter((name) => !free.includes(name));
  if (fixed.length > 0) {
    throw new UsageError(
      `--resume goes on with the options of ${options.resume}; leave out ${fixed.map((name) => `--${name}`).join(", ")}`,
    );
  }
  const { seconds, temperature, resume } = options;
  return { ...earlier, seconds, temperature, resume };
}

async function main(args: readonly string[]): Promise<void> {
  const parsed = parseOptions(args);
  if (parsed === undefined) {
    console.log(help());
    return;
  }
  const earlier =
    parsed.options.resume === undefined ? undefined : RunFolder.open(parsed.options.resume);
  const options =
    earlier === undefined
      ? parsed.options
      : goOn(parsed.options, parsed.given, earlier.config.options);
  const corpus = loadCorpus(options.text, options.batch, earlier?.config.characters);
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
    `${earlier === undefined ? "Training" : "Going on"} for ${seconds} s into ${folder.path}; Ctrl-C stops and keeps the model`,
  );

  let stopping = false;
  process.on("SIGINT", () => {
    if (stopping) process.exit(130);
    stopping = true;
  });
  const progress = makeProgress();
  const resumed = earlier && { tensors: earlier.tensors, earlier: earlier.earlier };
  const result = await train(
    options,
    corpus,
    progress,
    (line) => folder.log(line),
    () => stopping,
    resumed,
  ).catch((error: unknown) => {
    progress.stop();
    folder.abandon();
    throw error;
  });
  progress.stop();

  const { metrics, heldOut, sample, parameters, tensors, metadata } = result;
  const page = report(metrics, {
    name: folder.path,
    source: corpus.source,
    options,
    parameters,
    heldOut,
    sample,
  });
  const { resume: _, ...kept } = options;
  folder.finish(
    { format: 1, options: { ...kept, resume: undefined }, characters: corpus.characters },
    tensors,
    metadata,
    page,
  );
  if (stopping) console.log("Stopped; the model is kept.");
  console.log(
    `Held-out loss ${heldOut.toFixed(3)} nats (${bits(heldOut).toFixed(3)} bits) per character`,
  );
  console.log(`\nA sample at temperature ${options.temperature}:\n\n${sample}\n`);
  console.log(`${folder.path}/ has model.safetensors, config.json, metrics.jsonl and report.html`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof RangeError)) throw error;
  console.error(`chronograd: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
