import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mutants } from "../mutants/index.ts";
import { root } from "../mutants/inject.ts";
import { type Kind, occurrences } from "../mutants/mutant.ts";
import { tryOne } from "../mutants/pool.ts";

describe("the set of mutants", () => {
  test("is large, and each has a name of its own", () => {
    const names = mutants.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(120);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test("fits the sources: what is replaced occurs once, and becomes something else", () => {
    const wrong = mutants.filter((mutant) => {
      const source = readFileSync(new URL(mutant.file, root), "utf8");
      return occurrences(mutant, source) !== 1 || mutant.find === mutant.replace;
    });
    expect(wrong.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
  });

  test("has every kind of mistake", () => {
    const kinds: readonly Kind[] = [
      "sign",
      "factor",
      "wrong saved value",
      "missing reduction",
      "swapped operands",
      "transposed product",
      "off by one in time",
      "boundary not cut",
      "stale value reused",
      "weights of the wrong age",
      "forgotten bias",
      "mean as sum",
      "mask ignored",
      "guard lost",
      "lost gradient",
      "wrong state",
      "range",
      "clipping",
      "optimizer",
    ];
    const found = new Set(mutants.map(({ kind }) => kind));
    expect(kinds.filter((kind) => !found.has(kind))).toEqual([]);
  });
});

describe("the harness kills", () => {
  test.each([
    ["tanh: x saved for y", "tanh", "differences"],
    ["tanh: x declared as kept for y", "tanh", "residuals"],
    ["window: reaches back one step less", "truncated, by differences", "surrogates"],
  ])("%s: %s, %s", async (name, subject, law) => {
    const mutant = mutants.find((each) => each.name === name);
    expect(mutant).toBeDefined();
    const ending = await tryOne(mutant, { runs: 2, limit: 50 });
    expect(ending).toMatchObject({ is: "killed", by: { subject, law } });
  });
});
