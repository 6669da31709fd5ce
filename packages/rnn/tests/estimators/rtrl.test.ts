import { describe, expect, test } from "vitest";
import { rtrl } from "../../src/estimators.ts";
import { builtIn, distanceOf, fullGradient, marked, sumOfWindows, windowsOf } from "./setup.ts";

describe("windows of rtrl add up to the gradient of full BPTT", () => {
  for (const [name, problem] of [...builtIn(), ...builtIn(marked)]) {
    test(name, () => {
      const full = fullGradient(problem);
      for (const own of [{ k1: 1 }, { k1: 4, compile: true }, { k1: Infinity }]) {
        const found = sumOfWindows(windowsOf(rtrl, problem, own));
        expect(distanceOf(found, full)).toBeLessThan(1e-12);
      }
    });
  }
});
