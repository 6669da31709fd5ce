import { opTable } from "@chronograd/autodiff/extend";
import { hold } from "@chronograd/autodiff/testing";
import { describe, expect, test } from "vitest";
import { oracleSubjects } from "../oracle/index.ts";

const subjects = oracleSubjects();

describe.each(subjects.map((each) => [each.group, each.name, each] as const))(
  "%s: %s",
  (_group, _name, { laws }) => {
    test.each(laws.map((law) => [law.name, law] as const))("%s", (_law, law) => {
      const result = hold(law, { runs: 1 });
      expect(result?.cases).toBeGreaterThan(0);
      expect(result?.ok, `${law.statement}\n${result?.what}`).toBe(true);
    });
  },
);

test("every op has PyTorch's numbers beside it", () => {
  // `mul` and `add` of a number are `scale` and `offset`.
  const inner = ["unslice", "sumTo", "scale", "offset"];
  // A change of dtype has nothing to compare in float64.
  const without = new Set([...inner, "cast"]);
  const named = new Set(subjects.map(({ name }) => name));
  const missing = opTable().filter(({ name }) => !named.has(name) && !without.has(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
});
