import type { Tensor } from "@chronograd/autodiff";
import { tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams } from "@chronograd/rnn";
import { corpusTask, loadCorpus } from "chronograd/text";
import { modelOf, trainOptions } from "chronograd/training";
import { type Config, sizeOf } from "./protocol.ts";
import { type NamedArray, writeArrays } from "./tensors.ts";

/** The names that systems have for the parameters of `npm start`. */
const names: Readonly<Record<string, string>> = {
  "embedding.table": "table",
  "cell.W": "W",
  "cell.U": "U",
  "cell.b": "b",
  "cell.bn": "bn",
  "head.W": "headW",
  "head.b": "headb",
};

/**
 * Writes what `npm start` trains with, for other systems: its `codes`, the weights that it begins
 * with, and `settings`: learning rate, clipping, windows of warm-up.
 */
export async function writeStart(path: string, config: Config): Promise<void> {
  const batch = sizeOf(config, "B");
  const options = { ...trainOptions.parse({ batch }), hidden: sizeOf(config, "H") };
  const corpus = loadCorpus(undefined, batch);
  const model = await modelOf(options, corpusTask(corpus, options).interface);
  const params = initialParams(model, rng(options.seed).split("parameters"));
  const arrays: Record<string, NamedArray> = {};
  for (const [place, x] of tree.leavesWithPath(params) as [string, Tensor][]) {
    const name = names[place];
    if (name === undefined) throw new Error(`bench: npm start trains ${place}, which no peer has`);
    arrays[name] = { shape: x.shape, data: x.toTypedArray() as Float32Array };
  }
  const { lr, clip, warmup } = options;
  writeArrays(path, {
    ...arrays,
    codes: { shape: [corpus.training.length], data: corpus.training },
    settings: { shape: [3], data: Float32Array.of(lr, clip, warmup) },
  });
}
