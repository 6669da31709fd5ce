import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distance } from "../truncated/setup.ts";
import { models } from "./models.ts";
import { problem, run } from "./setup.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);

const shapes = (name: string) =>
  fc.record({
    name: fc.constant(name),
    T: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })),
    B: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(100_000),
  });

describe.each(Object.keys(models))("%s", (name) => {
  test("as one entry it is what it is step by step: values bit by bit, gradients to rounding", () => {
    fc.assert(
      fc.property(shapes(name), fc.integer({ min: 1, max: 6 }), (shape, steps) => {
        const p = problem(shape);
        const plain = run(p, {});
        const all = run(p, { memory: "all" });
        expect(all.values).toEqual(plain.values);
        expect(distance(all.gradients, plain.gradients)).toBeLessThan(1e-12);
        // What is kept changes no bit.
        expect(run(p, { memory: { steps } })).toEqual(all);
      }),
      { numRuns: 30, seed },
    );
  });

  test.skipIf(models[name]!.isUnplanned)(
    "planned it is what it is step by step, and what is kept changes no bit",
    () => {
      fc.assert(
        fc.property(shapes(name), fc.integer({ min: 1, max: 4 }), (shape, steps) => {
          const p = problem(shape);
          const plain = run(p, {});
          const planned = run(p, { compile: true });
          expect(distance(planned.values, plain.values)).toBeLessThan(1e-12);
          expect(distance(planned.gradients, plain.gradients)).toBeLessThan(1e-12);
          expect(run(p, { compile: true, memory: { steps } })).toEqual(planned);
          if (name.startsWith("bidirectional")) return;
          expect(run(p, { compile: true, memory: { bytes: 2 ** 28 } })).toEqual(planned);
        }),
        { numRuns: 12, seed },
      );
    },
  );
});
