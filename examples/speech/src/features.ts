import { logMel } from "chronograd/data";
import { rate } from "./recordings.ts";

export const bands = 26;
/** Frames of 10 ms that make a step of the network. */
export const stack = 3;
/** Numbers that the network sees in a step. */
export const inputs = bands * stack;
export const stepSeconds = 0.01 * stack;

/** Log-mel frames of a recording, less their mean and divided by their deviation, all alike. */
export function normalisedFrames(samples: Float32Array): Float32Array[] {
  const frames = logMel(samples, { rate, bands, floor: 1e-6 });
  const count = frames.length * bands;
  const total = (f: (x: number) => number) =>
    frames.reduce((sum, frame) => sum + frame.reduce((all, x) => all + f(x), 0), 0);
  const mean = total((x) => x) / count;
  const deviation = Math.sqrt(total((x) => (x - mean) ** 2) / count) + 1e-3;
  return frames.map((frame) => frame.map((x) => (x - mean) / deviation));
}

/** Steps of three frames side by side; frames that do not fill a step are left out. */
export function stepsOf(samples: Float32Array): Float32Array[] {
  const frames = normalisedFrames(samples);
  const steps = Math.max(1, Math.floor(frames.length / stack));
  return Array.from({ length: steps }, (_, t) => {
    const step = new Float32Array(inputs);
    for (let i = 0; i < stack; i++) step.set(frames[t * stack + i] ?? [], i * bands);
    return step;
  });
}
