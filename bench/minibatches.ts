import { batches, generator, settings, uniformBy } from "./problem.ts";
import { type Config, sizeOf } from "./protocol.ts";
import { type NamedArray, readArrays, writeArrays } from "./tensors.ts";

/**
 * Writes the weights and data of a minibatch case: `W [I,4H]`, `U [H,4H]`, `b [4H]`, `headW [H,C]`,
 * `headb [C]`, `inputs [batches,T,B,I]`, `targets [batches,B]`, and the settings. A configuration
 * with `shortest` also has `lengths [batches,B]` from there to T, the longest row first, as packed
 * sequences have them; what stands behind a row's end is like the rest, so that a system that
 * counts it differs.
 */
export function writeMinibatches(path: string, config: Config): void {
  const [T, B, I, H, C] = ["T", "B", "I", "H", "C"].map((name) => sizeOf(config, name)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const random = generator(T * 65_536 + H);
  const uniform = uniformBy(random);
  const limit = 1 / Math.sqrt(H);
  const whole = (shape: number[], draw: (i: number) => number): NamedArray => {
    const length = shape.reduce((a, b) => a * b, 1);
    return { shape, data: Int32Array.from({ length }, (_, i) => draw(i)) };
  };
  const inputs = uniform(Math.sqrt(3), batches, T, B, I);
  const weights = {
    W: uniform(limit, I, 4 * H),
    U: uniform(limit, H, 4 * H),
    b: uniform(limit, 4 * H),
    headW: uniform(3 * limit, H, C),
    headb: uniform(limit, C),
  };
  // Some classes are more frequent than others, so that there is something to learn.
  const targets = whole([batches, B], () => Math.floor(C * random() ** 3));
  const ragged = "shortest" in config && lengthsOf(config, random, T, B);
  writeArrays(path, { ...weights, inputs, targets, ...(ragged && { lengths: ragged }), settings });
}

function lengthsOf(config: Config, random: () => number, T: number, B: number): NamedArray {
  const shortest = sizeOf(config, "shortest");
  const draw = () => shortest + Math.floor((T - shortest + 1) * random());
  const data = Array.from({ length: batches }, () =>
    [T, ...Array.from({ length: B - 1 }, draw)].sort((a, b) => b - a),
  );
  return { shape: [batches, B], data: Int32Array.from(data.flat()) };
}

/** One minibatch, flat: inputs `[T,B,I]`, targets `[B]`, and lengths `[B]` of a ragged one. */
export interface Minibatch {
  readonly inputs: Float32Array;
  readonly targets: Int32Array;
  readonly lengths?: Int32Array;
}

/** A problem as a system that is written in TypeScript or JavaScript reads it. */
export interface Minibatches {
  readonly weights: Readonly<Record<string, NamedArray>>;
  readonly all: readonly Minibatch[];
}

export function readMinibatches(path: string | undefined): Minibatches {
  if (path === undefined) throw new Error("bench: a minibatch case needs its problem's file");
  const { inputs, targets, lengths, settings: _, ...weights } = readArrays(path);
  const part = <Data extends Float32Array | Int32Array>(array: NamedArray, i: number): Data => {
    const size = array.data.length / batches;
    return array.data.subarray(i * size, (i + 1) * size) as Data;
  };
  const all = Array.from(
    { length: batches },
    (_, i): Minibatch => ({
      inputs: part(inputs!, i),
      targets: part(targets!, i),
      ...(lengths !== undefined && { lengths: part(lengths, i) }),
    }),
  );
  return { weights, all };
}
