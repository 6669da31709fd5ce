import { hold } from "@chronograd/autodiff/testing";
import { describe, expect, test } from "vitest";
import { wholeSubjects } from "../suite.ts";

/** Another seed for another run: CHRONOGRAD_SEED=7 npm test. */
const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const runs = 3;

describe.each(wholeSubjects().map((each) => [each.group, each.name, each] as const))(
  "%s: %s",
  (_group, _name, { laws }) => {
    test.each(laws.map((law, i) => [law.name, i, law] as const))("%s (law %i)", (_law, _i, law) => {
      const result = hold(law, { seed, runs });
      // A law may have nothing to say about a subject.
      if (result === undefined) return;
      const replay = `replay with CHRONOGRAD_SEED=${result.seed}`;
      expect(result.ok, `${law.statement}\n${result.what}\n${replay}`).toBe(true);
    });
  },
);
