import { grad, tensor } from "@chronograd/autodiff";
import { crossEntropy } from "@chronograd/nn";
import { gru, truncated } from "@chronograd/rnn";
import { describe, expect, test } from "vitest";
import { halved, mnistDigits } from "../../mnist.ts";
import { shifted } from "../src/digits.ts";
import { reader, sequences } from "../src/model.ts";

describe("digits", () => {
  const from = new URL("../src/digits.ts", import.meta.url).href;
  const { training, heldOut } = mnistDigits(from);

  test("the package has 10,000 of them, and a fifth of each class is held out", () => {
    expect(training.classes.length + heldOut.classes.length).toBe(10_000);
    for (let digit = 0; digit < 10; digit++) {
      const count = (all: readonly number[]) => all.filter((x) => x === digit).length;
      const [kept, held] = [count(training.classes), count(heldOut.classes)];
      expect(held).toBe(Math.floor((kept + held) / 5));
    }
    const known = new Set(training.pixels.map((image) => image.join()));
    expect(heldOut.pixels.filter((image) => known.has(image.join()))).toEqual([]);
  });

  test("pixels are from 0 to 1", () => {
    for (const { pixels } of [training, heldOut]) {
      expect(pixels.every((image) => image.every((x) => x >= 0 && x <= 1))).toBe(true);
      expect(pixels.some((image) => image.some((x) => x > 0.9))).toBe(true);
    }
  });

  test("a pixel of a halved image is the mean of four", () => {
    // Pixel (row, col) of image n is n + row / 4 + col / 16.
    const image = (n: number) =>
      Float32Array.from({ length: 16 }, (_, i) => n + (i >> 2) / 4 + (i % 4) / 16);
    const small = halved({ side: 4, pixels: [image(0), image(1)], classes: [7, 8] });
    const mean = (n: number, row: number, col: number) => n + (row + 0.5) / 4 + (col + 0.5) / 16;
    for (const n of [0, 1]) {
      const means = [mean(n, 0, 0), mean(n, 0, 2), mean(n, 2, 0), mean(n, 2, 2)];
      expect([...small.pixels[n]!]).toEqual(means);
    }
    expect([small.side, small.classes]).toEqual([2, [7, 8]]);
  });

  test("a pixel moves with its image, or out of it", () => {
    const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect([...shifted(image, 3, 1, 0)]).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6]);
    expect([...shifted(image, 3, 0, -1)]).toEqual([2, 3, 0, 5, 6, 0, 8, 9, 0]);
    expect([...shifted(image, 3, -2, 2)]).toEqual([0, 0, 7, 0, 0, 0, 0, 0, 0]);
  });
});

test("sequences are the pixels in their order, time first", () => {
  const images = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)];
  expect(sequences(images, 2).toArray()).toEqual([
    [
      [1, 2],
      [5, 6],
    ],
    [
      [3, 4],
      [7, 8],
    ],
  ]);
  expect(sequences(images, 1, [3, 0, 2, 1]).reshape([4, 2]).toArray()).toEqual([
    [4, 8],
    [1, 5],
    [3, 7],
    [2, 6],
  ]);
});

test("with k2 the gradient is that of the last window of truncated back-propagation", () => {
  const images = [0, 1].map((i) =>
    Float32Array.from({ length: 12 }, (_, j) => Math.sin(j + 7 * i)),
  );
  const right = tensor([3, 8], { dtype: "int32" });
  for (const k2 of [3, 4, 12]) {
    const model = reader({ hidden: 4, width: 1, k2, seed: 1 });
    const lossOf = (p: typeof model.params) =>
      crossEntropy(model.logits(p, images), right, { reduction: "sum" });
    const { cell } = grad(lossOf)(model.params);

    // Windows of k2 steps, of which the last one alone has a loss.
    const inputs = sequences(images, 1);
    const steps = Array.from({ length: 12 }, (_, t) => ({ input: inputs.slice([t]), target: t }));
    const { W, b } = model.params.head;
    const windows = truncated(gru({ input: 1, hidden: 4 }), model.params.cell, steps, {
      k1: k2,
      k2,
      loss: (h, t) =>
        t === 11 ? crossEntropy(h.matmul(W).add(b), right, { reduction: "sum" }) : null,
    });
    for (const { end, gradients } of windows) {
      if (end < 12) continue;
      for (const name of ["W", "U", "b", "bn"] as const) {
        const [one, other] = [cell[name].toTypedArray(), gradients[name].toTypedArray()];
        for (const [i, value] of one.entries()) expect(value).toBeCloseTo(other[i]!, 5);
      }
    }
  }
});
