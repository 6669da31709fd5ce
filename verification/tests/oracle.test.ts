import { opTable } from "@chronograd/autodiff/extend";
import { hold } from "@chronograd/autodiff/testing";
import { describe, expect, test } from "vitest";
import { curves } from "../edges/curves.ts";
import { surfaces } from "../edges/surfaces.ts";
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

test("every op has numbers from elsewhere beside it: PyTorch's, or true values", () => {
  // `mul` and `add` of a number are `scale` and `offset`.
  const inner = ["unslice", "sumTo", "scale", "offset"];
  // A change of dtype has nothing to compare in float64.
  const without = new Set([...inner, "cast"]);
  const trueValues = [...curves, ...surfaces];
  const named = new Set([...subjects, ...trueValues].map(({ name }) => name));
  const missing = opTable().filter(({ name }) => !named.has(name) && !without.has(name));
  expect(
    missing.map(({ name }) => name),
    "add a case to verification/oracle/*.py and run python3 verification/oracle/pytorch.py, which needs PyTorch; or add the function with its two derivatives to verification/edges/curves.ts (surfaces.ts for two operands), which needs nothing",
  ).toEqual([]);
});
