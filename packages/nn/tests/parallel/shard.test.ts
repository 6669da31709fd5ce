import { tensor, zeros } from "@chronograd/autodiff";
import fc from "fast-check";
import { expect, test } from "vitest";
import { selfCommunicator } from "../../src/index.ts";
import { type RankAndSize, shard, shardRows } from "../../src/parallel.ts";
import { failure } from "./conformance.ts";

test("every row is somebody's, in order, and nobody has two more than another", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(200), (size, more) => {
      const count = size + more;
      const parts = Array.from({ length: size }, (_, rank) => shardRows(count, { rank, size }));
      expect(parts[0]!.start).toBe(0);
      expect(parts.at(-1)!.end).toBe(count);
      for (const [i, { start }] of parts.entries()) {
        if (i > 0) expect(start).toBe(parts[i - 1]!.end);
      }
      const sizes = parts.map(({ start, end }) => end - start);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test("a tree is split along its rows", () => {
  const inputs = tensor([
    [[1], [2], [3]],
    [[4], [5], [6]],
  ]);
  const parts = [0, 1].map((rank) => shard({ inputs }, { rank, size: 2 }, 1).inputs.toArray());
  expect(parts).toEqual([
    [[[1]], [[4]]],
    [
      [[2], [3]],
      [[5], [6]],
    ],
  ]);
  expect(shard(inputs, selfCommunicator).toArray()).toEqual(inputs.toArray());
});

test("what cannot be split is told", () => {
  const two = { rank: 1, size: 2 };
  expect(() => shard(zeros([1, 3]), two)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: shardRows: every one of 2 workers needs a row, got 1 rows; start fewer workers, or take a larger batch]`,
  );
  expect(() => shardRows(2.5, two)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: shardRows: every one of 2 workers needs a row, got 2.5 rows; start fewer workers, or take a larger batch]`,
  );
  const others = [
    { rank: 3, size: 3 },
    { rank: -1, size: 3 },
    { rank: 0, size: 0 },
    { rank: "1", size: 2 },
    { rank: 0, size: "2" },
    undefined,
  ] as readonly RankAndSize[];
  expect(others.map((each) => failure(() => shardRows(12, each)))).toMatchInlineSnapshot(`
    [
      "shardRows: rank must be a whole number from 0 to 2, got 3",
      "shardRows: rank must be a whole number from 0 to 2, got -1",
      "shardRows: size must be a whole number of at least 1, got 0",
      "shardRows: rank must be a whole number from 0 to 1, got "1"",
      "shardRows: size must be a whole number of at least 1, got "2"",
      "shardRows: size must be a whole number of at least 1, got undefined",
    ]
  `);
  expect(failure(() => shard({}, others[0]!))).toMatchInlineSnapshot(
    `"shard: rank must be a whole number from 0 to 2, got 3"`,
  );
  expect(() => shard({ x: zeros([4]) }, two, 1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: shard: the tensor at "x" has no axis 1, its shape is [4]; name the axis of the batch]`,
  );
  expect(() => shard(zeros([4]), two, -1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: shard: axis must be a whole number of at least 0, got -1]`,
  );
  expect(() => shard({ x: zeros([4]), y: zeros([5]) }, two)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: shard: all tensors must have the same number of rows along axis 0, got 4 at "x" and 5 at "y"]`,
  );
});
