import { expect, test } from "vitest";
import { resampled } from "../../src/data.ts";

const tone = (hertz: number, rate: number, length: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));
/** The largest difference, away from the ends. */
const apart = (a: Float32Array, b: Float32Array, margin: number) =>
  Math.max(...a.slice(margin, -margin).map((value, i) => Math.abs(value - b[i + margin]!)));

test.each([
  [44100, 8000],
  [48000, 8000],
  [16000, 8000],
  [8000, 16000],
  [11025, 8000],
  [8000, 44100],
])("from %i to %i: tones below both halves stay, in pitch, phase and height", (from, to) => {
  for (const hertz of [50, 1000, 3000]) {
    const found = resampled(tone(hertz, from, from / 2), from, to);
    expect(found.length).toBe(Math.ceil(to / 2));
    expect(apart(found, tone(hertz, to, found.length), 400)).toBeLessThan(2e-3);
  }
});

test("what the new rate cannot hold is left out, and not folded", () => {
  for (const hertz of [4700, 6000, 9000]) {
    const found = resampled(tone(hertz, 22050, 11025), 22050, 8000);
    expect(Math.max(...found.slice(100, -100).map(Math.abs))).toBeLessThan(2e-3);
  }
});

test("a constant stays one; the same rate gives a copy; nothing gives nothing", () => {
  const found = resampled(new Float32Array(2000).fill(0.5), 48000, 8000);
  expect(apart(found, new Float32Array(found.length).fill(0.5), 40)).toBeLessThan(1e-6);
  const given = Float32Array.of(1, 2);
  const same = resampled(given, 8000, 8000);
  expect([[...same], same === given]).toEqual([[1, 2], false]);
  expect(resampled(new Float32Array(0), 48000, 8000).length).toBe(0);
  expect(resampled(Float32Array.of(1), 8000, 16000).length).toBe(2);
});

test("errors are sentences", () => {
  const x = Float32Array.of(1);
  expect(() => resampled(x, 0, 8000)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: resampled: from must be a whole number of samples a second, got 0]`,
  );
  expect(() => resampled(x, 8000, Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: resampled: to must be a whole number of samples a second, got NaN]`,
  );
});
