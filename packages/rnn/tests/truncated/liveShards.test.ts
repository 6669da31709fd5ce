import { type Tensor, tensor } from "@chronograd/autodiff";
import { rng, selfCommunicator } from "@chronograd/nn";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  gatherLive,
  initialParams,
  type LiveWindow,
  lstm,
  shardLive,
  truncated,
  zoneout,
} from "../../src/index.ts";
import { mergeLive } from "../../src/truncated/live/workers.ts";
import { filed } from "./interrupted.ts";

/** A live window, its tensors as lists in their places. */
function shown({ tensors, ...live }: LiveWindow): unknown {
  const list = tensors.map((x) => [x.dtype, x.shape, [...x.toTypedArray()]]);
  const text = JSON.stringify(live, (_, value) =>
    typeof value === "string" && /^@\d+$/.test(value) ? list[Number(value.slice(1))] : value,
  );
  return JSON.parse(text);
}

const cell = lstm({ input: 2, hidden: 3 });
const loss = (h: Tensor, target: Tensor) => h.sub(target).square();

function lives(B: number, seed: number, options: object, marked: boolean): LiveWindow[] {
  const random = rng(seed);
  const rows = (columns: number) =>
    tensor(
      Float64Array.from({ length: B * columns }, () => random.normal()),
      { shape: [B, columns] },
    );
  const bits = (rate: number) =>
    tensor(Int32Array.from({ length: B }, () => (random.uniform() < rate ? 1 : 0)));
  const steps = Array.from({ length: 9 }, () => ({
    ...{ input: rows(2), target: rows(3) },
    ...(marked && { mask: bits(0.7), reset: bits(0.2) }),
  }));
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const all = { k1: 2, k2: 5, loss, ...options };
  return Array.from(truncated(cell, params, steps, all), ({ live }) => filed(live));
}

test("the parts of a live window, put together, are the whole", () => {
  const given = {
    B: fc.integer({ min: 3, max: 7 }),
    size: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(1000),
    stale: fc.constantFrom("carry", "recompute"),
    compile: fc.boolean(),
    marked: fc.boolean(),
  };
  fc.assert(
    fc.property(fc.record(given), ({ B, size, seed, marked, ...options }) => {
      for (const live of lives(B, seed, options, marked)) {
        const ranks = Array.from({ length: size }, (_, rank) => ({ rank, size }));
        const merged = mergeLive(ranks.map((each) => shardLive(live, each)));
        // Sums are in the order of the workers from then on, where all have as many rows.
        const isDealt = merged.steps.length + merged.states.length > 0 && B % size === 0;
        expect(merged.shards).toBe(isDealt ? size : 1);
        expect(shown({ ...merged, shards: 1 })).toEqual(shown(live));
      }
    }),
    { numRuns: 40, seed: 1 },
  );
});

test("what cannot be dealt out is refused", () => {
  const [live] = lives(3, 1, {}, false) as [LiveWindow];
  const said = (act: () => unknown) => {
    try {
      act();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing was said";
  };
  const part = shardLive(live, { rank: 0, size: 2 });
  expect(said(() => shardLive(part, { rank: 0, size: 3 }))).toMatchInlineSnapshot(
    `"shardLive: the live window is that of one of 2 workers; save what gatherLive gives"`,
  );
  expect(said(() => shardLive(live, { rank: 0, size: 4 }))).toMatchInlineSnapshot(
    `"shardRows: every one of 4 workers needs a row, got 3 rows; start fewer workers, or take a larger batch"`,
  );
  expect(said(() => shardLive(live, { rank: 2, size: 2 }))).toMatchInlineSnapshot(
    `"shardRows: rank must be a whole number from 0 to 1, got 2"`,
  );
  const noisy = zoneout(cell, { rate: 0.5 });
  const steps = [{ input: tensor([[1, 2]]), target: tensor([[1, 2, 3]]) }];
  const options = { k1: 1, k2: 3, loss, rng: rng(2) };
  for (const { live } of truncated(noisy, initialParams(noisy, rng(1)), steps, options)) {
    expect(said(() => gatherLive(selfCommunicator, live))).toMatchInlineSnapshot(
      `"gatherLive: the steps of the live window hold noise, which each worker drew for its own rows; go on with the number of workers that it was saved with (gather), or begin the stream anew"`,
    );
  }
});
