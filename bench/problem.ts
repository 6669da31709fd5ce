import { type Config, sizeOf } from "./protocol.ts";
import { type NamedArray, readArrays, writeArrays } from "./tensors.ts";

/** Batches that a problem has; training steps take them in turn. */
export const batches = 4;
/**
 * The settings of a training step, the same in every system. At first every gradient is clipped,
 * and epsilon is so large that the size of a gradient matters: otherwise the losses would not show
 * whether it was clipped.
 */
export const learningRate = 3e-3;
export const clipNorm = 0.5;
export const adamEpsilon = 1e-3;

/** The settings as an array of the file. */
export const settings: NamedArray = {
  shape: [3],
  data: Float32Array.of(learningRate, clipNorm, adamEpsilon),
};

/** mulberry32: uniform numbers in [0, 1) from a 32-bit state. */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws arrays of uniform numbers from -limit to limit. */
export function uniformBy(random: () => number): (limit: number, ...shape: number[]) => NamedArray {
  return (limit, ...shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return { shape, data: Float32Array.from({ length: size }, () => (2 * random() - 1) * limit) };
  };
}

/**
 * Writes the weights and data of a training case: `table [V,H]`, `W [H,gH]`, `U [H,gH]`, `b [gH]`
 * (and `bn [H]`) with g gates, `headW [H,V]`, `headb [V]`, `inputs` and `targets [batches,T,B]`,
 * and the settings. Every system starts from this file.
 */
export function writeProblem(path: string, model: string, config: Config): void {
  const [H, B, T, V] = ["H", "B", "T", "V"].map((name) => sizeOf(config, name)) as [
    number,
    number,
    number,
    number,
  ];
  const random = generator(H * 65_536 + B);
  const uniform = uniformBy(random);
  const width = (model === "gru" ? 3 : 4) * H;
  const limit = 1 / Math.sqrt(H);
  // Symbols as unevenly distributed as those of a text; each row continues where it ended in the
  // batch before.
  const symbols = Int32Array.from({ length: (batches * T + 1) * B }, () =>
    Math.floor(V * random() ** 3),
  );
  const shape = [batches, T, B];
  writeArrays(path, {
    table: uniform(Math.sqrt(3), V, H),
    W: uniform(limit, H, width),
    U: uniform(limit, H, width),
    b: uniform(limit, width),
    ...(model === "gru" && { bn: uniform(limit, H) }),
    headW: uniform(3 * limit, H, V),
    headb: uniform(limit, V),
    inputs: { shape, data: symbols.slice(0, batches * T * B) },
    targets: { shape, data: symbols.slice(B) },
    settings,
  });
}

/** A problem as a system that is written in TypeScript or JavaScript reads it. */
export interface Problem {
  readonly weights: Readonly<Record<string, NamedArray>>;
  /** Symbols `[T,B]` of batch `i`, flat. */
  inputs(i: number): Int32Array;
  targets(i: number): Int32Array;
}

export function readProblem(path: string | undefined): Problem {
  if (path === undefined) throw new Error("bench: a training case needs its problem's file");
  const { inputs, targets, settings: _, ...weights } = readArrays(path);
  const batch = ({ data, shape }: NamedArray, i: number): Int32Array => {
    const size = data.length / shape[0]!;
    const start = (i % shape[0]!) * size;
    return (data as Int32Array).subarray(start, start + size);
  };
  return { weights, inputs: (i) => batch(inputs!, i), targets: (i) => batch(targets!, i) };
}
