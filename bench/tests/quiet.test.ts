import { describe, expect, it } from "vitest";
import type { Load } from "../load.ts";
import { isQuiet, linesOf, runLoad } from "../quiet.ts";

const still: Load = { others: 0.01, stolen: 0 };
const busy: Load = { others: 0.3, stolen: 0 };
const averages = { before: 0.1, after: 1.2 };

/** The load of a run with some blocks, between two moments. */
const run = (blocks: Readonly<Record<string, Load | undefined>>, before?: Load, after?: Load) =>
  runLoad({ before, during: still, after }, new Map(Object.entries(blocks)), averages);

describe("quiet", () => {
  it("is a machine on which others take little and nothing is stolen", () => {
    expect(isQuiet(still)).toBe(true);
    expect(isQuiet(busy)).toBe(false);
    expect(isQuiet({ others: 0, stolen: 0.1 })).toBe(false);
    expect(isQuiet(undefined)).toBe(false);
  });

  it("needs all of a run: before it, every block, and after it", () => {
    expect(run({ a: still, b: still }, still, still).quiet).toBe(true);
    expect(run({ a: still, b: still }, busy, still).quiet).toBe(false);
    expect(run({ a: still, b: still }, still, busy).quiet).toBe(false);
    const one = run({ a: still, b: busy, c: undefined }, still, still);
    expect(one.quiet).toBe(false);
    expect(one.noisy).toEqual({ b: busy, c: null });
  });

  it("is said in two lines", () => {
    expect(linesOf(run({ a: still }, still, still))).toMatchInlineSnapshot(`
      [
        "CPU time that was not the benchmark's: before the run others 1.0 %, stolen 0.0 % (load 0.1); during others 1.0 %, stolen 0.0 %; after others 1.0 %, stolen 0.0 % (load 1.2)",
        "The machine was quiet.",
      ]
    `);
    expect(linesOf(run({ a: busy }, still, undefined))).toMatchInlineSnapshot(`
      [
        "CPU time that was not the benchmark's: before the run others 1.0 %, stolen 0.0 % (load 0.1); during others 1.0 %, stolen 0.0 %; after unknown (load 1.2)",
        "NOT QUIET: the figures mean less, most of all those of a.",
      ]
    `);
  });
});
