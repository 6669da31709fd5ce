import type { Result } from "./measure.ts";
import { geometricMean, round } from "./statistics.ts";

/** Our configurations, with a native BLAS and without; the fastest of each counts. */
const configurations = ["chronograd", "chronograd-1-worker", "chronograd-2-workers"];
const wasmOnly = ["chronograd-wasm", "chronograd-wasm-2-workers"];
const peers = ["pytorch", "pytorch-custom", "jax", "tfjs-wasm", "tfjs-cpu", "jax-js"];
/** PyTorch's programs for minibatches with a cell in a loop, and all of them. */
const torchLoops = ["pytorch-custom", "pytorch-script", "pytorch-compiled"];
const torches = ["pytorch", "pytorch-padded", ...torchLoops];

/** The products that the summary uses: square ones with at least 128 rows. */
const square = /^gemm-(\d+)x\1x\1$/;

/**
 * How many times as fast as another system: above 1, the system that the key names first is faster.
 * A ratio that was not measured has no key. A key without a case is the geometric mean of those
 * with one.
 */
export function ratiosOf(results: readonly Result[]): Record<string, number> {
  const median = (name: string, system: string): number | undefined =>
    results.find((result) => result.name === name && result.system === system)?.median_ms;
  const ratios: Record<string, number> = {};
  const put = (key: string, theirs: number | undefined, ours: number | undefined): void => {
    if (theirs !== undefined && ours !== undefined) ratios[key] = round(theirs / ours, 3);
  };
  const names = [...new Set(results.map(({ name }) => name))];
  const sizes = names
    .filter((name) => /^(lstm|gru|custom)-/.test(name))
    .map((name) => name.slice(name.indexOf("-") + 1));
  for (const size of new Set(sizes)) {
    for (const model of ["lstm", "gru", "custom"]) {
      const ours = (system: string): number | undefined => median(`${model}-${size}`, system);
      // The custom cell is an LSTM, so peers are measured with their LSTM.
      const theirs = (system: string): number | undefined =>
        median(`${model === "custom" ? "lstm" : model}-${size}`, system);
      const best = (names: readonly string[]): number | undefined => {
        const medians = names.map(ours).filter((value) => value !== undefined);
        return medians.length === 0 ? undefined : Math.min(...medians);
      };
      const key = (what: string): string => `${model}-${size}/${what}`;
      for (const peer of peers) put(key(peer), theirs(peer), best(configurations));
      put(key("wasm-only-vs-pytorch"), theirs("pytorch"), best(wasmOnly));
      const oneWorker = ours("chronograd-1-worker");
      put(key("workers-2-vs-1"), oneWorker, ours("chronograd-2-workers"));
      const recorded = ours("chronograd-recorded");
      put(key("compiled-vs-recorded"), recorded, ours("chronograd"));
      if (model === "lstm") {
        put(key("compiled-vs-prototype"), theirs("prototype"), oneWorker);
        put(key("recorded-vs-prototype"), theirs("prototype"), recorded);
      }
      if (model === "custom") {
        const builtIn = theirs("chronograd-1-worker");
        put(`lstm-${size}/custom-vs-built-in`, builtIn, oneWorker);
      }
    }
  }
  for (const name of names.filter((name) => name.startsWith("gemm-"))) {
    const wasm = median(name, "chronograd-wasm");
    put(`${name}/gemm-wasm-vs-peak`, median(name, "wasm-peak"), wasm);
    put(`${name}/gemm-blas-vs-openblas`, median(name, "openblas"), median(name, "chronograd-blas"));
  }
  for (const [key, ratio] of convolutionRatios(results)) ratios[key] = ratio;
  const means = summaries(ratios);
  return { ...ratios, ...Object.fromEntries(minibatchRatios(names, median)), ...means };
}

/** Every system's time divided by ours, and that of PyTorch's fastest programs. */
function minibatchRatios(
  names: readonly string[],
  median: (name: string, system: string) => number | undefined,
): [key: string, ratio: number][] {
  const found: [key: string, ratio: number][] = [];
  for (const name of names.filter((name) => name.startsWith("minibatch-"))) {
    // The custom cell is an LSTM, so peers are measured with their LSTM.
    const [, , size] = name.split("-");
    const theirs = (system: string) => median(`minibatch-lstm-${size}`, system);
    const ours = (system: string) => median(name, system);
    const least = (...times: readonly (number | undefined)[]): number =>
      Math.min(...times.map((ms) => ms ?? Number.POSITIVE_INFINITY));
    const put = (what: string, theirs: number | undefined, ours: number | undefined): void => {
      const ratio = (theirs ?? Number.NaN) / (ours ?? Number.NaN);
      if (Number.isFinite(ratio) && ratio > 0) found.push([`${name}/${what}`, round(ratio, 3)]);
    };
    const torch = least(...torches.map(theirs));
    const best = least(...[...configurations, "chronograd-whole-plan"].map(ours));
    for (const peer of peers) put(peer, theirs(peer), best);
    put("pytorch-best", torch, best);
    put("wasm-only-vs-pytorch-best", torch, least(...wasmOnly.map(ours)));
    put("workers-2-vs-1", ours("chronograd-1-worker"), ours("chronograd-2-workers"));
    put("loop-vs-recorded", ours("chronograd-recorded"), ours("chronograd"));
    put("loop-vs-whole-plan", ours("chronograd-whole-plan"), ours("chronograd"));
    if (!name.includes("custom")) continue;
    put("pytorch-loop-best", least(...torchLoops.map(theirs)), best);
    put("custom-vs-built-in", theirs("chronograd-1-worker"), ours("chronograd-1-worker"));
  }
  return found;
}

/** The speed of a convolution, in multiplications a second, as a part of a matrix product's. */
function convolutionRatios(results: readonly Result[]): [key: string, ratio: number][] {
  const speed = (name: string, system: string): number => {
    const found = results.find((result) => result.name === name && result.system === system);
    return found === undefined ? Number.NaN : Number(found.config.flops) / found.median_ms;
  };
  return results.flatMap(({ name, system }): [string, number][] => {
    const [block, direction] = [name.slice(0, name.lastIndexOf("-")), name.split("-").at(-1)];
    if (!name.startsWith("conv-") || (direction !== "forward" && direction !== "backward"))
      return [];
    return ["product", "square"].flatMap((what): [string, number][] => {
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
    "workers-2-vs-1",
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
