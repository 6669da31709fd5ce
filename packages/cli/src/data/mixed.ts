import type { Audio } from "./parseWav.ts";

/**
 * One channel from all: their mean.
 *
 * @example
 * ```ts
 * import { mixed } from "chronograd/data";
 *
 * const stereo = { rate: 8000, channels: [Float32Array.of(1, 0.5), Float32Array.of(0, 0.5)] };
 * [...mixed(stereo)]; // => [0.5, 0.5]
 * ```
 */
export function mixed({ channels }: Audio): Float32Array {
  const [first, ...others] = channels;
  if (first === undefined) throw new RangeError("mixed: expected at least one channel, got none");
  return first.map(
    (value, i) => others.reduce((sum, channel) => sum + (channel[i] ?? 0), value) / channels.length,
  );
}
