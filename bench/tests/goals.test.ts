import { describe, expect, it } from "vitest";
import { chooseBlocks } from "../cases.ts";
import { goalLines, goals, reachedOf } from "../goals.ts";
import type { Measured } from "../measure.ts";
import { ratiosOf } from "../ratios.ts";

const options = { filter: "", only: [], rounds: 3, out: undefined };

/** Every case and system of a run, each with the same time. */
function alike(quick: boolean): Measured[] {
  return chooseBlocks({ ...options, quick }).flatMap(({ entries }) =>
    entries.map(({ case: name, system, config }) => ({
      ...{ name, system: system.name, config, median_ms: 7, spread: 0, rounds: new Map([[0, 7]]) },
    })),
  );
}

describe("goals", () => {
  it("are ratios of the cases of a whole run", () => {
    const reached = reachedOf(ratiosOf(alike(false)));
    expect(reached.filter(({ state }) => state === "not measured")).toEqual([]);
    expect(reached.length).toBeGreaterThan(goals.length);
  });

  it("are in part those of a quick run", () => {
    const measured = reachedOf(ratiosOf(alike(true))).filter(({ measured }) => measured !== null);
    expect(measured.map(({ ratio }) => ratio)).toEqual(
      expect.arrayContaining(["lstm-128x32/threads-2-vs-1", "start/pytorch-best"]),
    );
  });

  it("are 1 where all systems are as fast", () => {
    for (const [key, ratio] of Object.entries(ratiosOf(alike(false)))) {
      if (!key.startsWith("conv-")) expect(`${key} ${ratio}`).toBe(`${key} 1`);
    }
  });

  it("are reached at the goal and missed below it; with a *, each ratio of that kind", () => {
    const all = [
      { ratio: "a/x", least: 2 },
      { ratio: "*/jax", least: 1.5 },
      { ratio: "c/y", least: 1 },
    ];
    const reached = reachedOf({ "a/x": 2, "b/jax": 1.49, "c/jax": 3, "c/jax-js": 0 }, all);
    expect(goalLines(reached)).toMatchInlineSnapshot(`
      [
        "a/x                                               2  goal 2     reached",
        "b/jax                                          1.49  goal 1.5   missed",
        "c/jax                                             3  goal 1.5   reached",
        "c/y                                               -  goal 1     not measured",
        "2 goals reached, 1 missed, 1 not measured",
      ]
    `);
  });
});
