import type { Examples, InputSpec, Sample } from "../ops/declare.ts";
import type { Backend } from "../tensor/backend.ts";
import { tensor } from "../tensor/create.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A small generator of uniform numbers (Mulberry32). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Positions 0 to n - 1 in random order (Fisher & Yates). */
function shuffled(n: number, random: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

const sizeOf = ({ shape }: InputSpec): number => shape.reduce((n, length) => n * length, 1);

/**
 * Inputs for one sample, the same for every dtype and backend with the same seed; away from kinks
 * and ties.
 */
export function drawInputs(
  { inputs }: Sample,
  { kinks = [], apart = false }: Pick<Examples, "kinks" | "apart">,
  seed: number,
  options: { dtype?: FloatDType; backend?: Backend } = {},
): Tensor[] {
  const random = uniforms(seed);
  const { dtype = "float64", backend } = options;
  const margin = 0.05;
  const total = inputs.reduce((n, spec) => n + sizeOf(spec), 0);
  const places = shuffled(total, random);
  const draw = ({ domain: [low, high] = [-2, 2], integers }: InputSpec): number => {
    if (integers !== undefined) {
      return integers[0] + Math.floor(random() * (integers[1] - integers[0]));
    }
    // Apart: every element of every input in a separate interval, in its inner half.
    if (apart) return low + ((places.pop()! + 0.25 + random() / 2) / total) * (high - low);
    for (;;) {
      const value = low + random() * (high - low);
      if (kinks.every((kink) => Math.abs(value - kink) > margin)) return value;
    }
  };
  return inputs.map((spec) => {
    const data = Float64Array.from({ length: sizeOf(spec) }, () => draw(spec));
    const { shape, integers } = spec;
    return tensor(data, {
      shape,
      dtype: integers === undefined ? dtype : "int32",
      ...(backend && { backend }),
    });
  });
}
