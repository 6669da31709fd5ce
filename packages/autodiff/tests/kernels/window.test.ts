import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Arena, floatArenas, integers } from "./arena.ts";

const size = fc.integer({ min: 1, max: 4 });
const windows = fc.tuple(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 9 }),
  fc.integer({ min: 0, max: 40 }),
  size,
  size,
  size,
  size,
  size,
  size,
  fc.integer({ min: -6, max: 6 }),
  fc.integer({ min: -6, max: 6 }),
  fc.integer({ min: 1, max: 5 }),
  fc.integer({ min: 1, max: 40 }),
);
type Window = typeof windows extends fc.Arbitrary<infer Drawn> ? Drawn : never;

/** The pixel that each column shows, -1 where it is outside of the image. */
function pixelsOf([
  channels,
  height,
  width,
  kh,
  kw,
  sh,
  sw,
  dh,
  dw,
  top,
  left,
  rows,
  cols,
]: Window) {
  const pixels: number[] = [];
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++)
        for (let r = 0; r < rows; r++)
          for (let s = 0; s < cols; s++) {
            const [row, col] = [top + i * dh + r * sh, left + j * dw + s * sw];
            const isInside = row >= 0 && row < height && col >= 0 && col < width;
            pixels.push(isInside ? (c * height + row) * width + col : -1);
          }
  return pixels;
}

describe.each(floatArenas)("window kernels of %s in %s", (_, dtype, arena: Arena) => {
  test("unfold writes every column, zeros where the window sees nothing", () => {
    fc.assert(
      fc.property(windows, (window) => {
        const pixels = pixelsOf(window);
        const [channels, height, width] = window;
        const image = integers(channels * height * width).map((value) => value + 0);
        const x = arena.put(dtype, image);
        const y = arena.put(dtype, new Array<number>(pixels.length).fill(7));
        arena.kernels[dtype].unfold(...window, x, y);
        const columns = arena.get(dtype, y, pixels.length);
        arena.clear();
        expect(columns).toEqual(pixels.map((pixel) => (pixel < 0 ? 0 : image[pixel]!)));
      }),
    );
  });

  test("fold adds every column to its pixel", () => {
    fc.assert(
      fc.property(windows, (window) => {
        const pixels = pixelsOf(window);
        const [channels, height, width] = window;
        const columns = integers(pixels.length);
        const expected = integers(channels * height * width);
        const x = arena.put(dtype, columns);
        const y = arena.put(dtype, expected);
        pixels.forEach((pixel, i) => {
          if (pixel >= 0) expected[pixel]! += columns[i]!;
        });
        arena.kernels[dtype].fold(...window, x, y);
        const image = arena.get(dtype, y, expected.length);
        arena.clear();
        expect(image.map((value) => value + 0)).toEqual(expected.map((value) => value + 0));
      }),
    );
  });
});
