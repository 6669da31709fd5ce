import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { models } from "../loop/models.ts";
import { problem, run } from "../loop/setup.ts";
import { distance } from "../truncated/setup.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);

const shapes = (name: string) =>
  fc.record({
    name: fc.constant(name),
    T: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 16, max: 37 })),
    B: fc.constantFrom(4, 8),
    seed: fc.nat(100_000),
  });

describe.each(Object.keys(models).filter((name) => !models[name]!.isUnplanned))("%s", (name) => {
  test("in shards it is what it is as a whole, with the same bits on any threads", () => {
    fc.assert(
      fc.property(shapes(name), fc.integer({ min: 1, max: 4 }), (shape, steps) => {
        const p = problem(shape);
        const plain = run(p, {});
        const shards = run(p, { compile: true, shards: 4, threads: 1 });
        expect(distance(shards.values, plain.values)).toBeLessThan(1e-12);
        expect(distance(shards.gradients, plain.gradients)).toBeLessThan(1e-12);
        expect(run(p, { compile: true, shards: 4, threads: 3 })).toEqual(shards);
        expect(run(p, { compile: true, threads: 4, memory: { steps } })).toEqual(shards);
      }),
      { numRuns: 4, seed },
    );
  });
});
