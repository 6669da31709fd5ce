import type { Measured } from "./measure.ts";
import { fastest, ratioOf } from "./pairs.ts";
import { geometricMean, round } from "./statistics.ts";

/** Our configurations, with a native BLAS and without; the fastest of each counts. */
const configurations = [
  "chronograd",
  "chronograd-1-thread",
  "chronograd-2-threads",
  "chronograd-whole-plan",
  "chronograd-data-parallel",
];
const wasmOnly = [
  "chronograd-wasm",
  "chronograd-wasm-2-threads",
  "chronograd-wasm-whole-plan",
  "chronograd-wasm-data-parallel",
];
const peers = ["pytorch", "pytorch-custom", "jax", "tfjs-wasm", "tfjs-cpu", "jax-js"];
/** PyTorch's programs with a cell in a loop, and all of them. */
const torchLoops = ["pytorch-custom", "pytorch-script", "pytorch-compiled"];
const torches = ["pytorch", "pytorch-padded", ...torchLoops];

/** The products that the summary uses: square ones with at least 128 rows. */
const square = /^gemm-(\d+)x\1x\1$/;
/** Cases that train: `lstm-128x32`, `minibatch-lstm-T28`, `start`, `ranks-256x32`. */
const trained = /^((minibatch-)?(lstm|gru|custom)-|start$|ranks-)/;

/** Finds the result of a system in a case. */
type Find = (name: string, system: string) => Measured | undefined;

/**
 * How many times as fast as another system: above 1, the system that the key names first is faster.
 * A ratio that was not measured has no key. A key without a case is the geometric mean of those
 * with one.
 */
export function ratiosOf(results: readonly Measured[]): Record<string, number> {
  const find: Find = (name, system) =>
    results.find((result) => result.name === name && result.system === system);
  const names = [...new Set(results.map(({ name }) => name))];
  const ratios = Object.fromEntries([
    ...names.filter((name) => trained.test(name)).flatMap((name) => trainingRatios(name, find)),
    ...names
      .filter((name) => name.startsWith("gemm-"))
      .flatMap((name) => productRatios(name, find)),
    ...convolutionRatios(results),
  ]);
  return { ...ratios, ...summaries(ratios) };
}

type Ratio = readonly [key: string, ratio: number];

/** Every system's time divided by ours, and ours by each other. */
function trainingRatios(name: string, find: Find): Ratio[] {
  const found: Ratio[] = [];
  const put = (what: string, theirs: Measured | undefined, ours: Measured | undefined): void => {
    if (theirs === undefined || ours === undefined) return;
    found.push([`${name}/${what}`, round(ratioOf(theirs, ours), 3)]);
  };
  const ours = (system: string) => find(name, system);
  // The custom cell is an LSTM, so peers are measured with their LSTM.
  const theirs = (system: string) => find(name.replace("custom-", "lstm-"), system);
  const best = fastest(configurations.map(ours));
  const torch = fastest(torches.map(theirs));
  for (const peer of peers) put(peer, theirs(peer), best);
  put("pytorch-best", torch, best);
  put("wasm-only-vs-pytorch-best", torch, fastest(wasmOnly.map(ours)));
  put("blas-vs-wasm-only", fastest(wasmOnly.map(ours)), best);
  put("threads-2-vs-1", ours("chronograd-1-thread"), ours("chronograd-2-threads"));
  put("wasm-threads-2-vs-auto", ours("chronograd-wasm"), ours("chronograd-wasm-2-threads"));
  put("unasked-vs-best", best, ours("chronograd"));
  put("ranks-2-vs-1", ours("chronograd-1-rank"), ours("chronograd-2-ranks"));
  put("compiled-vs-recorded", ours("chronograd-recorded"), ours("chronograd"));
  put("compiled-vs-whole-plan", ours("chronograd-whole-plan"), ours("chronograd"));
  put("compiled-vs-prototype", ours("prototype"), ours("chronograd-1-thread"));
  put("recorded-vs-prototype", ours("prototype"), ours("chronograd-recorded"));
  if (!name.includes("custom-")) return found;
  put("pytorch-loop-best", fastest(torchLoops.map(theirs)), best);
  put("custom-vs-built-in", theirs("chronograd-1-thread"), ours("chronograd-1-thread"));
  return found;
}

function productRatios(name: string, find: Find): Ratio[] {
  const pairs = [
    ["gemm-wasm-vs-peak", find(name, "wasm-peak"), find(name, "chronograd-wasm")],
    ["gemm-blas-vs-openblas", find(name, "openblas"), find(name, "chronograd-blas")],
  ] as const;
  return pairs.flatMap(([what, theirs, ours]): Ratio[] =>
    theirs === undefined || ours === undefined
      ? []
      : [[`${name}/${what}`, round(ratioOf(theirs, ours), 3)]],
  );
}

/** The speed of a convolution, in multiplications a second, as a part of a matrix product's. */
function convolutionRatios(results: readonly Measured[]): Ratio[] {
  const speed = (name: string, system: string): number => {
    const found = results.find((result) => result.name === name && result.system === system);
    return found === undefined ? Number.NaN : Number(found.config.flops) / found.median_ms;
  };
  return results.flatMap(({ name, system }): Ratio[] => {
    const [block, direction] = [name.slice(0, name.lastIndexOf("-")), name.split("-").at(-1)];
    if (!name.startsWith("conv-") || (direction !== "forward" && direction !== "backward"))
      return [];
    return ["product", "square"].flatMap((what): Ratio[] => {
      const ratio = speed(name, system) / speed(`${block}-${what}`, system);
      const key = `${name}/${system.replace("chronograd-", "")}-vs-${what}`;
      return Number.isNaN(ratio) ? [] : [[key, round(ratio, 3)]];
    });
  });
}

function summaries(ratios: Readonly<Record<string, number>>): Record<string, number> {
  const means: Record<string, number> = {};
  for (const what of [
    "custom-vs-built-in",
    "compiled-vs-prototype",
    "recorded-vs-prototype",
    "compiled-vs-recorded",
    "threads-2-vs-1",
    "gemm-wasm-vs-peak",
    "gemm-blas-vs-openblas",
  ]) {
    const values = Object.entries(ratios)
      .filter(([key]) => key.endsWith(`/${what}`))
      .filter(([key]) => !what.startsWith("gemm") || square.test(key.slice(0, key.indexOf("/"))))
      .map(([, value]) => value);
    if (values.length > 0) means[what] = round(geometricMean(values), 3);
  }
  return means;
}
