import { scope } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { models, type Run, windowsOf } from "./interrupted.ts";
import { modes } from "./setup.ts";

/** Random runs: k1 and k2 as they come, with plans where their cuts have chunks in common. */
const runs: fc.Arbitrary<Run> = fc
  .record({
    model: fc.constantFrom(...Object.keys(models)),
    seed: fc.nat(10_000),
    windows: fc.integer({ min: 1, max: 6 }),
    short: fc.nat(3),
    B: fc.integer({ min: 1, max: 3 }),
    dtype: fc.constantFrom("float32" as const, "float64" as const),
    chunk: fc.integer({ min: 1, max: 3 }),
    new: fc.integer({ min: 1, max: 3 }),
    more: fc.oneof(fc.nat(4), fc.nat(4), fc.constant(Infinity)),
    stale: fc.constantFrom("carry" as const, ...modes),
    losses: fc.constantFrom("new" as const, "endpoint" as const, "window" as const),
    multiplicity: fc.boolean(),
    reduction: fc.constantFrom("sum" as const, "mean" as const),
    compile: fc.boolean(),
    burnIn: fc.oneof(fc.constant(0), fc.nat(2)),
    measured: fc.boolean(),
    marked: fc.boolean(),
    whole: fc.boolean(),
    given: fc.boolean(),
    reads: fc.boolean(),
    updates: fc.boolean(),
  })
  .map(({ windows, short, chunk, new: some, more, ...run }) => {
    const k1 = chunk * some;
    const k2 = k1 + chunk * more;
    const multiplicity = run.multiplicity && run.losses === "window" && Number.isFinite(k2);
    const T = run.burnIn + Math.max(1, windows * k1 - Math.min(short, k1 - 1));
    return { ...run, k1, k2, multiplicity, T };
  });

describe("a stream that is resumed from a live window", () => {
  test("goes on as if it had never been interrupted, bit for bit", () => {
    fc.assert(
      fc.property(runs, fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }), (run, splits) => {
        scope(() => expect(windowsOf(run, splits)).toEqual(windowsOf(run)));
      }),
      { numRuns: 300 },
    );
  });
});
