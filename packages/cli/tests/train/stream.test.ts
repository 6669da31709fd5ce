import { type Tensor, tensor } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import { lanes } from "../../src/tasks/lanes.ts";
import { learningRate } from "../../src/training/rate.ts";
import { Source } from "../../src/training/source.ts";
import type { Item } from "../../src/training/task.ts";

test("lanes read every position once in a turn, each row on from where the one before ended", () => {
  const steps = lanes(13, 3);
  const turn = Array.from({ length: 4 }, () => steps.next().value!);
  expect(turn).toEqual([
    [0, 4, 8],
    [1, 5, 9],
    [2, 6, 10],
    [3, 7, 11],
  ]);
  expect(steps.next().value).toEqual([4, 8, 0]);
  // Anywhere in the stream it goes on as it would have.
  const whole = lanes(13, 3);
  for (let t = 0; t < 9; t++) whole.next();
  expect(lanes(13, 3, 9).next().value).toEqual(whole.next().value);
});

/** Steps and sequences in turn; the value of each step is its number. */
function* items(position: number): Generator<Item> {
  for (let i = position; i < 8; i++) {
    const at = (t: number) => 10 * i + t;
    if (i % 2 === 0) {
      yield { input: tensor([[at(0)]]), target: tensor([[0]]) };
    } else {
      const inputs = tensor([at(0), at(1), at(2)], { shape: [3, 1, 1] });
      yield { inputs, targets: inputs };
    }
  }
}

test("a stream goes on from any of its places", () => {
  const start = { items: 0, steps: 0 };
  const values = (source: Source) =>
    Array.from(source, ({ input, reset }) => [(input as Tensor).item(), reset?.item() ?? 0]);
  const all = values(new Source(items, start, 0));
  expect(all.slice(0, 5)).toEqual([
    [0, 0],
    [10, 1],
    [11, 0],
    [12, 0],
    [20, 0],
  ]);
  expect(all).toHaveLength(16);
  for (let step = 0; step <= all.length; step++) {
    const source = new Source(items, start, 0);
    const steps = source[Symbol.iterator]();
    // The reader may be ahead of the step that it asks about.
    for (let t = 0; t < Math.min(step + 3, all.length); t++) steps.next();
    const place = source.placeAfter(step);
    expect(values(new Source(items, place, step))).toEqual(all.slice(step));
  }
});

test("the learning rate rises, stays, and falls to 0", () => {
  const options = { lr: 2, warmup: 4, decay: 0.5 };
  const at = (windows: number, share: number) => learningRate(options, { windows, share });
  expect([0, 1, 2, 3, 4].map((windows) => at(windows, 0))).toEqual([0.5, 1, 1.5, 2, 2]);
  expect([0.5, 0.75, 0.9, 1, 1.2].map((share) => Number(at(9, share).toFixed(9)))).toEqual([
    2, 1, 0.4, 0, 0,
  ]);
  expect(learningRate({ lr: 2, warmup: 0, decay: 0 }, { windows: 0, share: 1 })).toBe(2);
});
