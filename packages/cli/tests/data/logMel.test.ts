import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { hertzOf, melFilters, melOf } from "../../src/data/melFilters.ts";
import { Spectrum } from "../../src/data/spectrum.ts";
import { type LogMelOptions, logMel } from "../../src/data.ts";

const noise = (length: number) => {
  const random = rng(3);
  return Float32Array.from({ length }, () => random.normal());
};
const tone = (hertz: number, rate = 8000) =>
  Float32Array.from({ length: rate }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));

describe("spectrum", () => {
  test.each([1, 2, 3, 4, 7, 8, 64, 200, 256])("of %i samples: the sum of its definition", (n) => {
    const x = noise(n + 5);
    const spectrum = new Spectrum(n);
    const found = spectrum.power(x, 5);
    expect(found.length).toBe(spectrum.size / 2 + 1);
    for (const [k, power] of found.entries()) {
      let [re, im] = [0, 0];
      for (let i = 0; i < n; i++) {
        const value = x[5 + i]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
        re += value * Math.cos((2 * Math.PI * k * i) / spectrum.size);
        im += value * Math.sin((2 * Math.PI * k * i) / spectrum.size);
      }
      expect(Math.abs(power - (re * re + im * im))).toBeLessThan(1e-9 * n);
    }
  });

  test("has the energy of the weighted samples (Parseval), frame after frame", () => {
    const x = noise(600);
    const spectrum = new Spectrum(200);
    for (const from of [0, 80, 400]) {
      const power = spectrum.power(x, from);
      const energy = Array.from(x.slice(from, from + 200)).reduce(
        (sum, value, i) => sum + (value * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 200))) ** 2,
        0,
      );
      const both = 2 * power.reduce((a, b) => a + b) - power[0]! - power.at(-1)!;
      expect(both / spectrum.size / energy).toBeCloseTo(1, 12);
    }
  });
});

describe("mel filters", () => {
  test("1000 Hz are 1000 mel, and back", () => {
    expect(melOf(1000)).toBeCloseTo(1000, 0);
    for (const hertz of [0, 31, 700, 4000]) expect(hertzOf(melOf(hertz))).toBeCloseTo(hertz, 9);
  });

  test("between the first and the last peak the weights of each bin add up to 1", () => {
    const width = 8000 / 512;
    const filters = melFilters(20, 100, 3800, width);
    const sums = new Float64Array(257);
    for (const { from, weights } of filters) {
      for (const [i, weight] of weights.entries()) {
        expect(weight).toBeGreaterThan(0);
        expect(weight).toBeLessThanOrEqual(1);
        sums[from + i]! += weight;
      }
    }
    const step = (melOf(3800) - melOf(100)) / 21;
    const first = Math.ceil(hertzOf(melOf(100) + step) / width);
    const last = Math.floor(hertzOf(melOf(3800) - step) / width);
    for (let bin = first; bin <= last; bin++) expect(sums[bin]).toBeCloseTo(1, 12);
  });
});

describe("logMel", () => {
  test("the energy of a tone lies in the band of its mel", () => {
    for (const hertz of [300, 440, 1000, 2500, 3500]) {
      const bands = 24;
      const step = melOf(4000) / (bands + 1);
      // Band b has its peak at (b + 1) steps.
      const nearest = Math.round(melOf(hertz) / step) - 1;
      for (const frame of logMel(tone(hertz), { rate: 8000, bands })) {
        expect(frame.indexOf(Math.max(...frame))).toBe(nearest);
      }
    }
  });

  test("twice as loud is log 4 more, in each band; silence is the floor", () => {
    const x = noise(2000);
    const quiet = logMel(x, { rate: 8000, bands: 24 });
    const loud = logMel(
      x.map((value) => 2 * value),
      { rate: 8000, bands: 24 },
    );
    for (const [t, frame] of quiet.entries()) {
      for (const [band, value] of frame.entries()) {
        expect(loud[t]![band]! - value).toBeCloseTo(Math.log(4), 4);
      }
    }
    const [silent] = logMel(new Float32Array(200), { rate: 8000, bands: 3, floor: 1e-6 });
    expect([...silent!]).toEqual(new Array(3).fill(Math.fround(Math.log(1e-6))));
  });

  test("frames begin a hop apart, and are what they are alone", () => {
    const x = noise(1000);
    const options = { rate: 8000, bands: 8 };
    const frames = logMel(x, options);
    // 1000 samples, frames of 200 that begin every 80.
    expect(frames.length).toBe(11);
    expect(logMel(x.slice(0, 999), options).length).toBe(10);
    for (const [t, frame] of frames.entries()) {
      expect(logMel(x.slice(80 * t, 80 * t + 200), options)).toEqual([frame]);
    }
    expect(logMel(new Float32Array(0), options).length).toBe(1);
  });

  test("NaN is in the frames that read it", () => {
    const x = noise(1000);
    x[90] = Number.NaN;
    const frames = logMel(x, { rate: 8000, bands: 8 });
    expect(frames.map((frame) => frame.every(Number.isNaN)).indexOf(false)).toBe(2);
  });

  test("errors are sentences", () => {
    const of = (options: object) => () =>
      logMel(noise(500), { rate: 8000, ...options } as LogMelOptions);
    expect(of({ band: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: logMel: there is no option "band", did you mean "bands"? It takes rate, bands, window, hop, low, high, floor]`,
    );
    expect(of({ rate: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: rate must be a finite number above 0, got 0]`,
    );
    expect(of({ bands: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: bands must be a whole number of at least 1, got 1.5]`,
    );
    expect(of({ bands: 100 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: band 0 holds none of the 129 frequencies of a frame; take fewer bands or a longer window, got 100]`,
    );
    expect(of({ window: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: window must be at least a sample long, got 0]`,
    );
    expect(of({ hop: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: hop must be at least a sample long, got NaN]`,
    );
    expect(of({ high: 5000 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: high must be at most 4000, half the rate, got 5000]`,
    );
    expect(of({ low: 4000 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: low must be at least 0 and below 4000, got 4000]`,
    );
    expect(of({ floor: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: logMel: floor must be a number above 0, got 0]`,
    );
  });
});
