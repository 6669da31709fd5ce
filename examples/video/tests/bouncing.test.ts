import { rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bouncing, reflected } from "../src/bouncing.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);

/** One white pixel, so that a frame shows where a digit is. */
const dot = { side: 1, pixels: [Float32Array.of(1)] };

describe("where a digit is", () => {
  test("it stays inside, and at an edge its velocity changes sign", () => {
    const ways = fc.record({
      room: fc.double({ min: 1, max: 30, noNaN: true }),
      start: fc.double({ min: 0, max: 1, noNaN: true }),
      velocity: fc.double({ min: -0.9, max: 0.9, noNaN: true }),
    });
    fc.assert(
      fc.property(ways, ({ room, start, velocity }) => {
        let [x, v] = [start * room, velocity * room];
        for (let t = 0; t < 30; t++) {
          const found = reflected(start * room + t * velocity * room, room);
          expect(found).toBeGreaterThanOrEqual(0);
          expect(found).toBeLessThanOrEqual(room);
          expect(Math.abs(found - x)).toBeLessThan(1e-9 * room);
          x += v;
          // One bounce a step at most, since |v| < room.
          if (x < 0 || x > room) [x, v] = [x < 0 ? -x : 2 * room - x, -v];
        }
      }),
      { numRuns: 100, seed },
    );
  });

  test("from frame to frame it moves by the speed, or, at an edge, by less", () => {
    const how = { size: 60, count: 1, speed: 7, steps: 10 };
    const ways: number[] = [];
    for (let n = 0; n < 20; n++) {
      const frames = bouncing(rng(n, "speed"), dot, 1, how).toTypedArray();
      const at = Array.from({ length: 10 }, (_, t) => frames.indexOf(1, t * 3600) - t * 3600);
      for (const [t, i] of at.slice(1).entries()) {
        const before = at[t]!;
        const rows = Math.floor(i / 60) - Math.floor(before / 60);
        ways.push(Math.hypot(rows, (i % 60) - (before % 60)));
      }
    }
    // Each coordinate is rounded to whole pixels.
    expect(Math.max(...ways)).toBeLessThan(7 + Math.SQRT2);
    const even = ways.filter((way) => way > 7 - Math.SQRT2);
    expect(even.length).toBeGreaterThan(0.7 * ways.length);
  });
});

describe("sequences", () => {
  const how = { size: 9, count: 2, speed: 1.3, steps: 12 };
  // The pixels of five images: 1/45, 2/45, and so on.
  const image = (n: number) => Float32Array.from({ length: 9 }, (_, i) => (9 * n + i + 1) / 45);
  const images = { side: 3, pixels: [0, 1, 2, 3, 4].map(image) };

  test("are those of the seed, and others for another", () => {
    const of = (n: number) => [...bouncing(rng(n), images, 3, how).toTypedArray()];
    expect(of(seed)).toEqual(of(seed));
    expect(of(seed)).not.toEqual(of(seed + 1));
  });

  test("of two digits are the brighter pixels of either alone", () => {
    const alone = { ...how, count: 1 };
    for (let n = 0; n < 20; n++) {
      const [together, apart] = [rng(n, "digits"), rng(n, "digits")];
      const [both, first, second] = [
        bouncing(together, images, 1, how),
        bouncing(apart, images, 1, alone),
        bouncing(apart, images, 1, alone),
      ];
      expect(both.toArray()).toEqual(first.maximum(second).toArray());
    }
  });

  test("hold one whole image in every frame", () => {
    const one = { side: 3, pixels: [image(0)] };
    const frames = bouncing(rng(seed), one, 50, { ...how, count: 1 });
    const sums = frames.sum([2, 3]).toTypedArray();
    for (const sum of sums) expect(sum).toBeCloseTo(45 / 45, 5);
  });
});
