import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Config, Kind } from "./protocol.ts";

/** What must be installed before a system can run; `setup.ts` installs it. */
export type Need = "workspace" | "npm" | "torch" | "jax" | "openblas";

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
   * Whether to try several numbers of threads and keep the fastest; otherwise the system chooses,
   * or has one.
   */
  readonly threads?: "each";
  /** The largest training step, in GFLOP, that the system is measured with. */
  readonly most?: { readonly quick: number; readonly full: number };
  /** Worker threads that divide the rows of a batch; cases with fewer rows are left out. */
  readonly workers?: number;
  /** Not in growth and cold starts, or not in quick ones. */
  readonly sparing?: boolean;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const chronograd = file("systems/chronograd.ts");
const parallel = file("systems/parallel.ts");
/** One thread in each process or worker. */
const single = { OPENBLAS_NUM_THREADS: "1" };
const wasm = { CHRONOGRAD_BLAS: "off" };
const both = ["lstm", "gru"];

/**
 * Every system. Another configuration of ours is another row with other arguments or `env`.
 * `ratios.ts` says which ratios use it.
 */
export const systems: readonly System[] = [
  {
    name: "chronograd",
    need: "workspace",
    program: [chronograd],
    kinds: ["train", "minibatch", "overhead", "stream"],
    models: [...both, "custom"],
  },
  {
    name: "chronograd-1-worker",
    need: "workspace",
    program: [chronograd],
    env: single,
    kinds: ["train", "minibatch"],
    models: [...both, "custom"],
    sparing: true,
  },
  {
    name: "chronograd-2-workers",
    need: "workspace",
    program: [parallel, "2"],
    kinds: ["train", "minibatch"],
    models: [...both, "custom"],
    workers: 2,
    sparing: true,
  },
  {
    name: "chronograd-wasm",
    need: "workspace",
    program: [chronograd],
    env: wasm,
    kinds: ["train", "minibatch", "product", "convolution"],
    models: [...both, "custom"],
    sparing: true,
  },
  {
    name: "chronograd-wasm-2-workers",
    need: "workspace",
    program: [parallel, "2"],
    env: wasm,
    kinds: ["train", "minibatch"],
    models: [...both, "custom"],
    workers: 2,
    sparing: true,
  },
  {
    name: "chronograd-blas",
    need: "workspace",
    program: [chronograd],
    env: single,
    kinds: ["product", "convolution"],
  },
  {
    name: "chronograd-recorded",
    need: "workspace",
    program: [chronograd, "recorded"],
    kinds: ["train", "minibatch", "overhead", "stream"],
    models: [...both, "custom"],
  },
  {
    name: "chronograd-whole-plan",
    need: "workspace",
    program: [chronograd, "whole"],
    kinds: ["minibatch"],
    models: ["lstm", "custom"],
    sparing: true,
  },
  {
    name: "prototype",
    need: "workspace",
    program: [file("systems/prototype.ts")],
    env: single,
    kinds: ["train"],
    models: ["lstm"],
    sparing: true,
  },
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
  {
    name: "pytorch",
    need: "torch",
    program: [file("peers/pytorch.py"), "built-in"],
    kinds: ["train", "minibatch"],
    models: both,
    threads: "each",
  },
  {
    name: "pytorch-custom",
    need: "torch",
    program: [file("peers/pytorch.py"), "custom"],
    kinds: ["train", "minibatch"],
    models: both,
    threads: "each",
    sparing: true,
  },
  ...["padded", "script", "compiled"].map(
    (way): System => ({
      name: `pytorch-${way}`,
      need: "torch",
      program: [file("peers/pytorch.py"), way],
      kinds: ["minibatch"],
      models: ["lstm"],
      threads: "each",
      sparing: true,
    }),
  ),
  {
    name: "jax",
    need: "jax",
    program: [file("peers/jax_scan.py")],
    kinds: ["train", "minibatch"],
    models: both,
    threads: "each",
  },
  {
    name: "tfjs-wasm",
    need: "npm",
    program: [file("peers/tfjs.mjs"), "wasm"],
    kinds: ["train", "minibatch"],
    models: both,
    most: { quick: 2, full: 8 },
  },
  {
    name: "tfjs-cpu",
    need: "npm",
    program: [file("peers/tfjs.mjs"), "cpu"],
    kinds: ["train", "minibatch"],
    models: both,
    most: { quick: 0.1, full: 2 },
    sparing: true,
  },
  {
    name: "jax-js",
    need: "npm",
    program: [file("peers/jax-js.mjs")],
    kinds: ["train", "minibatch"],
    models: both,
    most: { quick: 2, full: 50 },
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
