import { checkOptions } from "../checkOptions.ts";
import { melFilters } from "./melFilters.ts";
import { Spectrum } from "./spectrum.ts";

/** Options of `logMel`. */
export interface LogMelOptions {
  /** Samples a second. */
  readonly rate: number;
  /** How many numbers a frame has; 40 unless given. */
  readonly bands?: number;
  /** Seconds of a frame; 0.025 unless given. */
  readonly window?: number;
  /** Seconds from one frame to the next; 0.01 unless given. */
  readonly hop?: number;
  /** The lowest frequency in Hz; 0 unless given. */
  readonly low?: number;
  /** The highest frequency in Hz; half the rate unless given. */
  readonly high?: number;
  /**
   * Energies below this count as this much, so that silence has a logarithm; 1e-10 unless given.
   */
  readonly floor?: number;
}

const known = ["rate", "bands", "window", "hop", "low", "high", "floor"];

/**
 * Logarithms of the energies of sound in bands of equal width in mel, frame by frame: Hann's
 * window, the squared magnitudes of the Fourier transform, overlapping triangles (Davis &
 * Mermelstein 1980).
 *
 * @param samples one channel
 * @returns frames of `bands` numbers: as many as fit into the samples, and at least one
 * @throws for options that do not fit: a frequency above half the rate, more bands than the
 *   spectrum of a frame can tell apart
 *
 * @example
 * ```ts
 * import { logMel } from "chronograd/data";
 *
 * const rate = 8000;
 * const tone = Float32Array.from({ length: rate }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / rate));
 * const frames = logMel(tone, { rate, bands: 20 });
 * [frames.length, frames[0]!.length]; // => [98, 20]
 * // 1000 Hz are 1000 mel, of 2146 in all: the peak of the band 9 or 10 of 21 steps.
 * frames[50]!.indexOf(Math.max(...frames[50]!)); // => 9
 * ```
 */
export function logMel(samples: Float32Array, options: LogMelOptions): Float32Array[] {
  const { rate, bands = 40, window = 0.025, hop = 0.01, low = 0, floor = 1e-10 } = options;
  const { high = rate / 2 } = options;
  checkOptions("logMel", options, known);
  const refuse = (what: string, got: number): never => {
    throw new RangeError(`logMel: ${what}, got ${got}`);
  };
  if (!(rate > 0 && rate < Infinity)) refuse("rate must be a finite number above 0", rate);
  if (!(Number.isSafeInteger(bands) && bands > 0)) {
    refuse("bands must be a whole number of at least 1", bands);
  }
  const length = Math.round(window * rate);
  const step = Math.round(hop * rate);
  if (!(length >= 1 && length < 2 ** 24)) refuse("window must be at least a sample long", window);
  if (!(step >= 1)) refuse("hop must be at least a sample long", hop);
  if (!(low >= 0 && low < high)) refuse(`low must be at least 0 and below ${high}`, low);
  if (!(high <= rate / 2)) refuse(`high must be at most ${rate / 2}, half the rate`, high);
  if (!(floor > 0)) refuse("floor must be a number above 0", floor);
  const spectrum = new Spectrum(length);
  const filters = melFilters(bands, low, high, rate / spectrum.size);
  const empty = filters.findIndex(({ weights }) => weights.length === 0);
  if (empty >= 0) {
    refuse(
      `band ${empty} holds none of the ${spectrum.size / 2 + 1} frequencies of a frame; take fewer bands or a longer window`,
      bands,
    );
  }
  const frames = 1 + Math.max(0, Math.floor((samples.length - length) / step));
  return Array.from({ length: frames }, (_, frame) => {
    const power = spectrum.power(samples, frame * step);
    const logs = new Float32Array(bands);
    for (const [band, { from, weights }] of filters.entries()) {
      let energy = 0;
      for (let i = 0; i < weights.length; i++) energy += weights[i]! * power[from + i]!;
      logs[band] = Math.log(Math.max(energy, floor));
    }
    return logs;
  });
}
