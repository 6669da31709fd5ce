import { describe, expect, test } from "vitest";
import { rtrl } from "../../src/estimators.ts";
import { builtIn, distanceOf, fullGradient, marked, sumOfWindows, windowsOf } from "./setup.ts";

// `npm run verify` compiles all cells; planning takes time.
const compiled = ["elman", "lstm", "convLstm", "gruResetBefore"];

describe("windows of rtrl add up to the gradient of full BPTT", () => {
  for (const [name, problem] of builtIn(marked)) {
    test(name, () => {
      const full = fullGradient(problem);
      const found = sumOfWindows(windowsOf(rtrl, problem, { k1: 4 }));
      expect(distanceOf(found, full)).toBeLessThan(1e-12);
    });
  }
  for (const [name, problem] of builtIn().filter(([name]) => compiled.includes(name))) {
    test(`${name}, compiled`, () => {
      const full = fullGradient(problem);
      for (const own of [{ k1: 1, compile: true }, { k1: Infinity }]) {
        const found = sumOfWindows(windowsOf(rtrl, problem, own));
        expect(distanceOf(found, full)).toBeLessThan(1e-12);
      }
    });
  }
});
