import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Config, Kind } from "./protocol.ts";

/** What must be installed before a system can run; `setup.ts` installs it. */
export type Need = "workspace" | "npm" | "torch" | "jax" | "openblas" | "mpi";

/** A program that answers requests; see `protocol.ts`. */
export interface System {
  /** The name in results and ratios. */
  readonly name: string;
  /**
   * What runs the program: the workspace's Node, the peers' Python, or nothing for an executable.
   */
  readonly need: Need;
  /** The program and its arguments, after what runs it. */
  readonly program: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly kinds: readonly Kind[];
  /** The models that it trains. */
  readonly models?: readonly string[];
  /**
   * Whether to try several numbers of threads and keep the fastest, or all cores; otherwise the
   * system chooses, or has one.
   */
  readonly threads?: "each" | "all";
  /** The largest training step, in GFLOP, that the system is measured with. */
  readonly most?: { readonly quick: number; readonly full: number };
  /** Threads or ranks that divide the rows of a batch; cases with fewer rows are left out. */
  readonly workers?: number;
  /** Not in growth and cold starts. */
  readonly sparing?: boolean;
  /** Not in quick runs. */
  readonly thorough?: boolean;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const chronograd = file("systems/chronograd.ts");
/** One thread of the BLAS for each of ours. */
const single = { OPENBLAS_NUM_THREADS: "1" };
const oneThread = { ...single, BENCH_THREADS: "1" };
const twoThreads = { ...single, BENCH_THREADS: "2" };
const wasm = { CHRONOGRAD_BLAS: "off" };
const both = ["lstm", "gru"];

/** A configuration of ours: `chronograd` is what a user gets who sets nothing. */
function ours(name: string, rest: Partial<System>): System {
  return { name, need: "workspace", program: [chronograd], kinds: [], models: ["lstm"], ...rest };
}

/** A way to write the model in PyTorch. */
function torch(way: string, rest: Partial<System>): System {
  return {
    name: way === "built-in" ? "pytorch" : `pytorch-${way}`,
    need: "torch",
    program: [file("peers/pytorch.py"), way],
    kinds: ["minibatch"],
    models: ["lstm"],
    threads: "all",
    sparing: true,
    thorough: true,
    ...rest,
  };
}

/**
 * Every system. Another configuration of ours is another row with other arguments or `env`.
 * `ratios.ts` says which ratios use it.
 */
export const systems: readonly System[] = [
  ours("chronograd", {
    kinds: ["train", "minibatch", "start", "overhead", "stream"],
    models: [...both, "custom"],
  }),
  ours("chronograd-1-thread", {
    env: oneThread,
    kinds: ["train", "minibatch"],
    models: [...both, "custom"],
    sparing: true,
  }),
  ours("chronograd-2-threads", {
    ...{ env: twoThreads, workers: 2, sparing: true },
    kinds: ["train", "minibatch"],
  }),
  ours("chronograd-wasm", {
    env: wasm,
    kinds: ["train", "minibatch", "start", "product", "convolution"],
    models: [...both, "custom"],
    sparing: true,
  }),
  ours("chronograd-wasm-2-threads", {
    ...{ env: { ...wasm, BENCH_THREADS: "2" }, workers: 2, sparing: true, thorough: true },
    kinds: ["train", "minibatch"],
  }),
  ours("chronograd-whole-plan", {
    program: [chronograd, "whole"],
    kinds: ["train", "minibatch"],
    models: ["lstm", "custom"],
    sparing: true,
  }),
  ours("chronograd-wasm-whole-plan", {
    ...{ program: [chronograd, "whole"], env: wasm, sparing: true },
    kinds: ["train", "minibatch"],
  }),
  ours("chronograd-data-parallel", {
    ...{ program: [chronograd, "shards"], sparing: true, workers: 2 },
    kinds: ["train", "minibatch"],
    models: [...both, "custom"],
  }),
  ours("chronograd-wasm-data-parallel", {
    ...{ program: [chronograd, "shards"], env: wasm, sparing: true, workers: 2, thorough: true },
    kinds: ["train", "minibatch"],
  }),
  ours("chronograd-recorded", {
    program: [chronograd, "recorded"],
    kinds: ["train", "minibatch", "overhead", "stream"],
    models: both,
    most: { quick: 0, full: 6 },
  }),
  ours("chronograd-blas", { env: single, kinds: ["product", "convolution"] }),
  ours("chronograd-1-rank", {
    program: [file("systems/ranks.ts")],
    ...{ env: oneThread, kinds: ["ranks"] },
  }),
  ours("chronograd-2-ranks", {
    need: "mpi",
    program: [file("systems/ranks.ts")],
    env: { ...oneThread, OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" },
    ...{ kinds: ["ranks"], workers: 2 },
  }),
  ours("prototype", {
    program: [file("systems/prototype.ts")],
    ...{ env: single, kinds: ["train"], sparing: true, thorough: true },
    most: { quick: 0, full: 6 },
  }),
  {
    name: "wasm-peak",
    need: "workspace",
    program: [file("systems/peak.ts")],
    kinds: ["product"],
  },
  {
    name: "openblas",
    need: "openblas",
    program: [],
    kinds: ["product"],
  },
  torch("built-in", {
    kinds: ["train", "minibatch", "start"],
    ...{ models: both, threads: "each", sparing: false, thorough: false },
  }),
  torch("custom", { kinds: ["train", "minibatch", "start"], models: both, threads: "each" }),
  ...["padded", "script", "compiled"].map((way) => torch(way, {})),
  {
    name: "jax",
    need: "jax",
    program: [file("peers/jax_scan.py")],
    kinds: ["train", "minibatch", "start"],
    models: both,
    threads: "each",
  },
  {
    name: "tfjs-wasm",
    need: "npm",
    program: [file("peers/tfjs.mjs"), "wasm"],
    kinds: ["train", "minibatch"],
    ...{ models: both, most: { quick: 0, full: 2 }, thorough: true },
  },
  {
    name: "tfjs-cpu",
    need: "npm",
    program: [file("peers/tfjs.mjs"), "cpu"],
    kinds: ["train", "minibatch"],
    ...{ models: both, most: { quick: 0, full: 0.1 }, sparing: true, thorough: true },
  },
  {
    name: "jax-js",
    need: "npm",
    program: [file("peers/jax-js.mjs")],
    kinds: ["train", "minibatch"],
    ...{ models: both, most: { quick: 0, full: 6 }, thorough: true },
  },
];

/** Numbers of threads worth trying: powers of two, and all cores. */
export function threadCounts(cores: number = availableParallelism()): number[] {
  const counts: number[] = [];
  for (let n = 1; n < cores; n *= 2) counts.push(n);
  return [...counts, cores];
}

/**
 * Floating-point operations of a training step, nearly all of them in matrix products, in units of
 * 10^9.
 */
export function gigaflops({ model, T, B, I, H, V = 0 }: Config): number {
  const gates = model === "gru" ? 3 : 4;
  const [t, b, i, h, v] = [T, B, I, H, V].map(Number) as [number, number, number, number, number];
  return (6 * t * b * h * (gates * (i + h) + v)) / 1e9;
}
