import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { named, scope, Tape, tensor, timeStep } from "../../src/index.ts";
import { liveView } from "../../src/ndarray.ts";
import { currentPlace, pathOf, stepOf } from "../../src/tape/place.ts";

const here = () => ({ path: pathOf(currentPlace()), t: stepOf(currentPlace()) });

describe("a place", () => {
  test("is what is open around it: names from the outside in, the innermost time step", () => {
    const parts = fc.array(fc.oneof(fc.nat(99), fc.constantFrom("a", "b", "c")), { maxLength: 6 });
    fc.assert(
      fc.property(parts, (around) => {
        const enter = (depth: number): void => {
          const open = around.slice(0, depth);
          const expected = {
            path: open.filter((part) => typeof part === "string").join("."),
            t: open.findLast((part) => typeof part === "number"),
          };
          expect(here()).toEqual(expected);
          const part = around[depth];
          if (part === undefined) return;
          if (typeof part === "string") named(part, () => enter(depth + 1));
          else timeStep(part, () => enter(depth + 1));
          // Back outside it is what it was.
          expect(here()).toEqual(expected);
        };
        enter(0);
      }),
    );
  });

  test("ends with its body, also when that throws, and gives back what it returns", () => {
    const fails = () => {
      throw new Error("mine");
    };
    expect(() => named("a", () => timeStep(1, fails))).toThrow("mine");
    expect(currentPlace()).toBeNull();
    expect(here()).toEqual({ path: "", t: undefined });
    expect([named("a", () => 3), timeStep(1, () => "x")]).toEqual([3, "x"]);
  });

  test("is named where a value has changed", () => {
    scope(() => {
      const tape = new Tape();
      const raw = tensor([1, 2]);
      const x = tape.watch(raw);
      const plain = x.square();
      const placed = timeStep(4, () => named("cell", () => named("gate", () => x.square())));
      liveView(raw);
      const cotangent = tensor([1, 1]);
      expect(() => tape.gradient(plain, x, { cotangent })).toThrow(
        "gradient: square (entry 0) needs its input x",
      );
      expect(() => tape.gradient(placed, x, { cotangent })).toThrow(
        "gradient: square (entry 1, time step 4, in cell.gate) needs its input x",
      );
    });
  });
});
