// Bandlimited interpolation with a windowed sinc: Smith & Gossett 1984, A flexible sampling-rate
// conversion method.

/** Zero crossings of the sinc on each side; the transition takes 2 / 32 of the band or so. */
const crossings = 32;

/**
 * Samples at another rate. What the new rate cannot hold, above half of it, is left out, so nothing
 * is folded into lower frequencies.
 *
 * @param samples one channel
 * @param from samples a second now, a whole number
 * @param to samples a second then, a whole number
 * @returns `ceil(n to / from)` samples
 * @throws for rates that are no whole numbers of at least 1
 *
 * @example
 * ```ts
 * import { resampled } from "chronograd/data";
 *
 * const tone = Float32Array.from({ length: 441 }, (_, i) => Math.sin((2 * Math.PI * 100 * i) / 44100));
 * const slower = resampled(tone, 44100, 8000);
 * slower.length; // => 80
 * Math.abs(slower[20]! - Math.sin((2 * Math.PI * 100 * 20) / 8000)) < 0.01; // => true
 * ```
 */
export function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  for (const [name, rate] of Object.entries({ from, to })) {
    if (Number.isSafeInteger(rate) && rate >= 1) continue;
    throw new RangeError(
      `resampled: ${name} must be a whole number of samples a second, got ${rate}`,
    );
  }
  if (from === to) return samples.slice();
  const cutoff = Math.min(1, to / from);
  const reach = Math.ceil(crossings / cutoff);
  /** One filter for each place between two samples; there are `to / gcd(from, to)` of them. */
  const filters = new Map<number, Float64Array>();
  const output = new Float32Array(Math.ceil((samples.length * to) / from));
  for (let n = 0; n < output.length; n++) {
    const phase = (n * from) % to;
    const center = (n * from - phase) / to;
    let filter = filters.get(phase);
    if (filter === undefined) {
      filter = sincFilter(phase / to, reach, cutoff);
      filters.set(phase, filter);
    }
    let sum = 0;
    for (let i = 0; i < filter.length; i++) {
      sum += filter[i]! * (samples[center + i - reach + 1] ?? 0);
    }
    output[n] = sum;
  }
  return output;
}

/** Weights of the samples around a place at `fraction` behind one of them; their sum is 1. */
function sincFilter(fraction: number, reach: number, cutoff: number): Float64Array {
  const weights = Float64Array.from({ length: 2 * reach }, (_, i) => {
    const distance = i - reach + 1 - fraction;
    const x = Math.PI * cutoff * distance;
    const sinc = x === 0 ? 1 : Math.sin(x) / x;
    // Hann's window.
    return Math.abs(distance) < reach
      ? sinc * Math.cos((Math.PI * distance) / (2 * reach)) ** 2
      : 0;
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
