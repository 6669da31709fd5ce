import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fastest, ratioOf } from "../pairs.ts";
import { median } from "../statistics.ts";

const measured = (rounds: readonly (readonly [number, number])[]) => ({
  rounds: new Map(rounds),
  median_ms: median(rounds.map(([, ms]) => ms)),
});

describe("pairs", () => {
  it("does not depend on how fast the machine is in a round", () => {
    const drift = fc.array(fc.double({ min: 0.2, max: 5, noNaN: true }), {
      minLength: 3,
      maxLength: 15,
    });
    fc.assert(
      fc.property(drift, (factors) => {
        const theirs = measured(factors.map((factor, round) => [round, 30 * factor]));
        const ours = measured(factors.map((factor, round) => [round, 12 * factor]));
        expect(ratioOf(theirs, ours)).toBeCloseTo(2.5, 12);
      }),
      { seed: 15, numRuns: 100 },
    );
  });

  it("takes rounds in which both had a turn, and medians where these are few", () => {
    const theirs = measured([
      [0, 10],
      [1, 20],
      [3, 40],
      [4, 1000],
    ]);
    expect(
      ratioOf(
        theirs,
        measured([
          [0, 5],
          [1, 5],
          [2, 1],
          [3, 5],
        ]),
      ),
    ).toBe(4);
    // Medians 30 and 6.
    expect(
      ratioOf(
        theirs,
        measured([
          [2, 4],
          [3, 8],
        ]),
      ),
    ).toBe(5);
  });

  it("finds the fastest of what was measured", () => {
    const [slow, quick] = [measured([[0, 9]]), measured([[0, 2]])];
    expect(fastest([undefined, slow, quick])).toBe(quick);
    expect(fastest([undefined])).toBeUndefined();
  });
});
