import { normalisedFrames } from "./features.ts";
import type { Recording } from "./recordings.ts";

const parts = 8;

/** A recording as 8 mean frames, whatever its length. */
function template(samples: Float32Array): Float32Array {
  const frames = normalisedFrames(samples);
  const bands = frames[0]!.length;
  const result = new Float32Array(parts * bands);
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * frames.length) / parts);
    const to = Math.max(from + 1, Math.floor(((part + 1) * frames.length) / parts));
    for (const frame of frames.slice(from, to)) {
      for (const [band, x] of frame.entries()) result[part * bands + band]! += x / (to - from);
    }
  }
  return result;
}

/** Template matching: the digit of the nearest recording, all stretched to one length. */
export function templateMatching(
  recordings: readonly Recording[],
): (samples: Float32Array) => number {
  const templates = recordings.map(({ digit, samples }) => ({ digit, x: template(samples) }));
  return (samples) => {
    const own = template(samples);
    let best = { digit: 0, distance: Number.POSITIVE_INFINITY };
    for (const { digit, x } of templates) {
      let distance = 0;
      for (let i = 0; i < own.length; i++) distance += (own[i]! - x[i]!) ** 2;
      if (distance < best.distance) best = { digit, distance };
    }
    return best.digit;
  };
}

const frame = 80;
const shortest = 8;
const longestPause = 4;

/** Stretches that are louder than the middle between the quietest and the loudest frame, in dB. */
export function loudStretches(samples: Float32Array): Float32Array[] {
  const levels = Array.from({ length: Math.floor(samples.length / frame) }, (_, i) => {
    const own = samples.subarray(i * frame, (i + 1) * frame);
    return Math.log(own.reduce((sum, x) => sum + x * x, 1e-9));
  });
  const middle = (Math.min(...levels) + Math.max(...levels)) / 2;
  const stretches: { from: number; to: number }[] = [];
  for (const [i, level] of levels.entries()) {
    if (level < middle) continue;
    const last = stretches.at(-1);
    if (last !== undefined && i - last.to <= longestPause) last.to = i + 1;
    else stretches.push({ from: i, to: i + 1 });
  }
  return stretches
    .filter(({ from, to }) => to - from >= shortest)
    .map(({ from, to }) => samples.slice(from * frame, to * frame));
}
