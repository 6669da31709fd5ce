import { type Backend, type FloatDType, type Tensor, tensor } from "../../src/index.ts";
import type { InputSpec, Sample } from "../../src/ops/declare.ts";

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

/** Draws one input, keeping `margin` away from kinks. */
function drawInput(
  { shape, domain = [-2, 2], integers }: InputSpec,
  kinks: readonly number[],
  random: () => number,
): { shape: readonly number[]; data: Float64Array; integer: boolean } {
  const size = shape.reduce((n, length) => n * length, 1);
  const margin = 0.05;
  const one = (): number => {
    if (integers !== undefined) {
      return integers[0] + Math.floor(random() * (integers[1] - integers[0]));
    }
    for (;;) {
      const value = domain[0] + random() * (domain[1] - domain[0]);
      if (kinks.every((kink) => Math.abs(value - kink) > margin)) return value;
    }
  };
  return { shape, data: Float64Array.from({ length: size }, one), integer: integers !== undefined };
}

/** Inputs for one sample, the same for every dtype and backend with the same seed. */
export function drawInputs(
  { inputs }: Sample,
  kinks: readonly number[],
  seed: number,
  options: { dtype?: FloatDType; backend?: Backend } = {},
): Tensor[] {
  const random = uniforms(seed);
  const { dtype = "float64", backend } = options;
  return inputs.map((spec) => {
    const { shape, data, integer } = drawInput(spec, kinks, random);
    return tensor(data, { shape, dtype: integer ? "int32" : dtype, ...(backend && { backend }) });
  });
}
