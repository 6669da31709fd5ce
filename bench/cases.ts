import type { Options } from "./options.ts";
import type { Config, Kind } from "./protocol.ts";
import { gigaflops, type System, systems, threadCounts } from "./systems.ts";

/** One system in one case. */
export interface Entry {
  readonly case: string;
  readonly kind: Kind;
  readonly config: Config;
  readonly system: System;
  /** Threads that the system is told to use; without a number it chooses. */
  readonly threads?: number;
  /** Times the first step of a new process, several times. */
  readonly cold?: boolean;
}

/** Entries that are measured in the same rounds. */
export interface Block {
  readonly name: string;
  readonly entries: readonly Entry[];
  /** Half of the rounds: no goal depends on it. */
  readonly brief?: boolean;
}

/** Steps of a training case, and symbols of its data. */
const T = 50;
const V = 65;
const sizes: readonly (readonly [H: number, B: number])[] = [
  [32, 1],
  [128, 32],
  [256, 32],
  [512, 64],
];

/** The systems of a training case; `alike` are the models that compute the same. */
function training(
  name: string,
  alike: readonly string[],
  [H, B]: readonly [number, number],
  quick: boolean,
  among?: (system: System) => boolean,
): Entry[] {
  return trainingOf("train", name, alike, { H, B, T, I: H, V }, quick, among);
}

function trainingOf(
  kind: Kind,
  name: string,
  alike: readonly string[],
  sizes: Config,
  quick: boolean,
  among: (system: System) => boolean = () => true,
): Entry[] {
  const entries: Entry[] = [];
  for (const system of systems) {
    const { most, threads } = system;
    if (!system.kinds.includes(kind) || !among(system)) continue;
    if (quick && system.thorough === true) continue;
    if ((system.workers ?? 1) > Number(sizes.B)) continue;
    for (const model of alike) {
      if (!(system.models ?? []).includes(model)) continue;
      const config = { model, ...sizes };
      if (most && gigaflops(config) > (quick ? most.quick : most.full)) continue;
      const entry = { case: name.replace("*", model), kind, config, system };
      if (threads === undefined) entries.push(entry);
      else {
        const counts = threadCounts().slice(threads === "all" ? -1 : 0);
        entries.push(...counts.map((count) => ({ ...entry, threads: count })));
      }
    }
  }
  return entries;
}

function trainingBlocks(quick: boolean): Block[] {
  const blocks: Block[] = [];
  for (const [H, B] of quick ? sizes.slice(0, 2) : sizes) {
    const size = `${H}x${B}`;
    const models = quick ? ["lstm"] : ["lstm", "custom"];
    blocks.push({
      name: `lstm-${size}`,
      entries: training(`*-${size}`, models, [H, B], quick),
    });
    if (quick || B !== 32) continue;
    const gru = training(`*-${size}`, ["gru"], [H, B], quick);
    blocks.push({ name: `gru-${size}`, entries: gru, brief: true });
  }
  return blocks;
}

/** Minibatches of dense inputs; in the ragged one rows have from 5 to 100 steps. */
const minibatches: Readonly<Record<string, Config>> = {
  T28: { T: 28, I: 28, H: 128, B: 64, C: 10 },
  T784: { T: 784, I: 28, H: 128, B: 64, C: 10 },
  T100: { T: 100, I: 128, H: 256, B: 32, C: 10 },
  ragged: { T: 100, I: 128, H: 256, B: 32, C: 10, shortest: 5 },
};

/** Those that goals depend on have all systems. */
const inGoals = ["T28", "T784"];

function minibatchBlocks(quick: boolean): Block[] {
  const chosen = Object.entries(minibatches).filter(([size]) => !quick || size === "T28");
  return chosen.map(([size, sizes]) => {
    const brief = !inGoals.includes(size);
    const models = size === "T28" && !quick ? ["lstm", "custom"] : ["lstm"];
    const among = ({ name, sparing }: System): boolean => {
      if (name === "pytorch-padded") return size === "ragged";
      if (name === "chronograd-recorded") return size === "T28";
      return !brief || sparing !== true || name.startsWith("chronograd");
    };
    const name = `minibatch-*-${size}`;
    const entries = trainingOf("minibatch", name, models, sizes, quick, among);
    return { name: `minibatch-${size}`, entries, brief };
  });
}

/** The loop of `npm start`; a step is so many windows, of which its time is the mean. */
function startBlock(quick: boolean): Block {
  const [H, B, windows] = [256, 32, quick ? 10 : 25];
  const config = { H, B, T, windows, tokens: T * B, I: 128, V: 90 };
  const entries = trainingOf("start", "start", ["gru"], config, quick);
  return { name: "start", entries };
}

/** The rows of a batch on two ranks of MPI, and on one; each rank has one thread. */
function ranksBlock(quick: boolean): Block {
  const [H, B] = [256, 32];
  const name = `ranks-${H}x${B}`;
  const entries = trainingOf("ranks", name, ["lstm"], { H, B, T, I: H, V }, quick);
  return { name, entries };
}

/**
 * Matrix products `[m,k] [k,n]` of recurrent networks: of a step forward, a step back, and a
 * gradient; and square ones.
 */
const products: readonly (readonly [m: number, k: number, n: number, transposed: string])[] = [
  [32, 128, 512, ""],
  [64, 512, 2048, ""],
  [32, 512, 128, "b"],
  [256, 1600, 1024, "a"],
  [128, 128, 128, ""],
  [256, 256, 256, ""],
  [512, 512, 512, ""],
];

function productBlocks(quick: boolean): Block[] {
  const chosen = products.filter(([m, k]) => !quick || (m === k && m > 256));
  return chosen.map(([m, k, n, transposed]) => {
    const name = `gemm-${transposed === "" ? "" : `${transposed}t-`}${m}x${k}x${n}`;
    const repeat = Math.max(1, Math.round(4e7 / (2 * m * n * k)));
    const [aT, bT] = [Number(transposed === "a"), Number(transposed === "b")];
    const config = { m, k, n, aT, bT, repeat, flops: 2 * m * n * k };
    const entries = systems
      .filter(({ kinds }) => kinds.includes("product"))
      .map((system): Entry => ({ case: name, kind: "product", config, system }));
    return { name, entries, brief: true };
  });
}

/**
 * A convolution of 3 x 3 with 32 channels in and out, forward and back, beside the matrix product
 * of as many multiplications, and a square one.
 */
function convolutionBlock(): Block {
  const [N, C, S, K] = [8, 32, 32, 3];
  const flops = 2 * N * S * S * C * C * K * K;
  const product = (m: number, k: number, n: number) => ({ m, k, n, aT: 0, bT: 0, repeat: 2 });
  const cases: readonly (readonly [what: string, kind: Kind, config: Config])[] = [
    ["forward", "convolution", { N, C, S, K, direction: "forward", repeat: 2, flops }],
    ["backward", "convolution", { N, C, S, K, direction: "backward", repeat: 1, flops: 2 * flops }],
    ["product", "product", { ...product(N * S * S, C * K * K, C), flops }],
    ["square", "product", { ...product(512, 512, 512), flops: 2 * 512 ** 3 }],
  ];
  const name = `conv-${K}x${K}x${C}`;
  const entries = systems
    .filter(({ kinds }) => kinds.includes("convolution"))
    .flatMap((system) =>
      cases.map(
        ([what, kind, config]): Entry => ({ case: `${name}-${what}`, kind, config, system }),
      ),
    );
  return { name, entries, brief: true };
}

function ofKind(kind: Kind): System[] {
  return systems.filter(({ kinds, sparing }) => kinds.includes(kind) && sparing !== true);
}

/** Chains of 1000 ops: their milliseconds are microseconds per op. */
function overheadBlock(): Block {
  const entries: Entry[] = [];
  for (const op of ["neg", "mul"]) {
    for (const direction of ["forward", "backward"]) {
      const config = { op, direction, ops: 1000, elements: 8 };
      for (const system of ofKind("overhead")) {
        entries.push({ case: `overhead-${op}-${direction}`, kind: "overhead", config, system });
      }
    }
  }
  return { name: "overhead", entries, brief: true };
}

function coldBlock(): Block {
  const [H, B] = [128, 32];
  const name = `cold-lstm-${H}x${B}`;
  const most = Math.max(...threadCounts());
  const among = ({ sparing, thorough }: System) => sparing !== true && thorough !== true;
  const entries = training(name, ["lstm"], [H, B], false, among)
    .filter(({ threads }) => threads === undefined || threads === most)
    .map((entry) => ({ ...entry, cold: true }));
  return { name, entries, brief: true };
}

/** Cost by the length of a stream, and of a step by hidden and batch size. */
function growthBlocks(): Block[] {
  const blocks: Block[] = [];
  for (const length of [100, 1000, 10_000, 100_000]) {
    const config = { H: 32, B: 1, T: length, V, k1: 25, k2: 50 };
    const name = `growth-T-${length}`;
    const entries = ofKind("stream")
      .filter(({ name }) => name === "chronograd" || length <= 10_000)
      .map((system): Entry => ({ case: name, kind: "stream", config, system }));
    blocks.push({ name, entries, brief: true });
  }
  const among = ({ name }: System): boolean => name === "chronograd" || name === "pytorch";
  const grow = (name: string, H: number, B: number): void => {
    const entries = training(name, ["lstm"], [H, B], false, among);
    blocks.push({ name, entries, brief: true });
  };
  for (const H of [16, 64, 256, 512]) grow(`growth-H-${H}`, H, 32);
  for (const B of [1, 4, 16, 64]) grow(`growth-B-${B}`, 128, B);
  return blocks;
}

/**
 * What to measure. A filter chooses whole blocks, so that each system has another to compare with.
 */
export function chooseBlocks({ quick, filter, only }: Options): Block[] {
  const all = [
    ...trainingBlocks(quick),
    ...minibatchBlocks(quick),
    startBlock(quick),
    ranksBlock(quick),
    ...productBlocks(quick),
    ...(quick ? [] : [convolutionBlock(), overheadBlock(), coldBlock(), ...growthBlocks()]),
  ];
  const blocks: Block[] = [];
  for (const { name, entries, ...rest } of all) {
    const chosen = entries.filter(({ system }) => only.length === 0 || only.includes(system.name));
    const matches = name.includes(filter) || chosen.some((entry) => entry.case.includes(filter));
    if (matches && chosen.length > 0) blocks.push({ name, entries: chosen, ...rest });
  }
  return blocks;
}
