import { concat, type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams } from "@chronograd/rnn";
import { testCell } from "@chronograd/rnn/testing";
import { expect, test } from "vitest";
import { baselines, frameErrors } from "../src/baselines.ts";
import { forecast, forecaster, framesOf, logitsOf, patchesOf } from "../src/model.ts";

/** Frames of random pixels, `[T, B, size, size]`. */
function drawn(T: number, B: number, size: number, seed = 1): Tensor {
  const random = rng(seed, "frames");
  return tensor(
    Float32Array.from({ length: T * B * size ** 2 }, () => random.uniform()),
    { shape: [T, B, size, size] },
  );
}

test("channel 2 i + j of patches has the pixels (2 r + i, 2 c + j) of a frame, and back", () => {
  const frames = drawn(2, 3, 6);
  const patches = patchesOf(frames, 2);
  expect(patches.shape).toEqual([2, 3, 4, 3, 3]);
  for (let i = 0; i < 4; i++) {
    for (let at = 0; at < 9; at++) {
      const [r, c] = [Math.floor(at / 3), at % 3];
      const pixel = frames.slice([1, 2, 2 * r + (i >> 1), 2 * c + (i % 2)]).item();
      expect(patches.slice([1, 2, i, r, c]).item()).toBe(pixel);
    }
  }
  expect(framesOf(patches).toArray()).toEqual(frames.toArray());
});

const model = forecaster({ size: 8, patch: 2, hidden: 3 });
const params = initialParams(model, rng(1));

test("it is a cell", () => {
  const input = (random: ReturnType<typeof rng>, batch: number) => {
    const pixels = Float64Array.from({ length: batch * 64 }, () => random.uniform());
    const flags = Int32Array.from({ length: batch }, () => random.integer(0, 2));
    return {
      frame: tensor(pixels, { shape: [batch, 4, 4, 4] }),
      seen: tensor(flags, { shape: [batch, 1, 1, 1] }),
    };
  };
  const report = testCell(forecaster({ size: 8, patch: 2, hidden: 2 }), { runs: 1, input });
  expect(report.ok, report.toString()).toBe(true);
});

test("frames that are not seen are not read, and those that are seen are", () => {
  const [one, other] = [drawn(6, 2, 8), drawn(6, 2, 8, 2)];
  const logits = (frames: Tensor) => logitsOf(model, params, frames, 4).toArray();
  const after = concat([one.slice([[0, 4]]), other.slice([[4, 6]])], 0);
  expect(logits(after)).toEqual(logits(one));
  expect(logits(other)).not.toEqual(logits(one));
});

test("a forecast is what the cell says of its own last words", () => {
  const frames = drawn(3, 2, 8);
  const said = forecast(model, params, frames, 3);
  expect(said.shape).toEqual([3, 2, 8, 8]);
  // Given what was said as if it were seen, the next frame is the same.
  const next = forecast(model, params, concat([frames, said.slice([[0, 2]])], 0), 1);
  const distance = next
    .sub(said.slice([[2, 3]]))
    .abs()
    .max()
    .item();
  expect(distance).toBeLessThan(1e-6);
});

test("baselines are their formulas", () => {
  const seen = tensor([[[[0.5, 0.2]]], [[[0.25, 0.5]]]]);
  const of = (name: string) => baselines[name]!(seen, 3).toArray();
  expect(of("last frame")).toEqual([[[[0.25, 0.5]]]]);
  const expected = [
    [0, 0.8],
    [-0.25, 1.1],
    [-0.5, 1.4],
  ];
  const close = (numbers: readonly number[]) => numbers.map((x) => expect.closeTo(x, 6));
  expect(of("linear")).toEqual(expected.map((row) => [[close(row)]]));
  const clipped = [
    [0, 0.8],
    [0, 1],
    [0, 1],
  ];
  expect(of("linear, within 0 and 1")).toEqual(clipped.map((row) => [[close(row)]]));
  expect(of("black frame")).toEqual([[[[0, 0]]]]);
  expect(of("mean of all frames")).toEqual([[[close([0.375, 0.35])]]]);
});

test("the error of a frame is a sum over pixels and a mean over sequences", () => {
  // [T 2, B 2, 1, 2]
  const said = tensor([
    [[[1, 2]], [[3, 4]]],
    [[[0, 0]], [[0, 1]]],
  ]);
  expect(frameErrors(said, tensor([[[[0, 0]]], [[[0, 0]]]]))).toEqual([(5 + 25) / 2, 1 / 2]);
});
