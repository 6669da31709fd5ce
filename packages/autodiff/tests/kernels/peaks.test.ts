import fc from "fast-check";
import { expect, test } from "vitest";
import { Memory } from "../../src/kernels/memory.ts";

test("the peak of a call is the most in use during it, in nested calls too", () => {
  const memory = new Memory();
  const block = 64;
  const stack: number[] = [];
  const use = (change: number) => {
    for (; change > 0; change--) stack.push(memory.allocate(block));
    for (; change < 0 && stack.length > 0; change++) memory.release(stack.pop()!, block);
  };
  type Step = number | { call: Step[]; throws: boolean };
  const step = fc.letrec<{ step: Step; call: Step }>((tie) => ({
    step: fc.oneof({ depthSize: "small" }, fc.integer({ min: -6, max: 6 }), tie("call")),
    call: fc.record({ call: fc.array(tie("step"), { maxLength: 6 }), throws: fc.boolean() }),
  })).step;
  /** Runs the steps and tells the most blocks that were in use, counted after each. */
  const run = (steps: readonly Step[]): number => {
    let most = stack.length;
    for (const what of steps) {
      if (typeof what === "number") use(what);
      else {
        let inside = 0;
        const body = () => {
          inside = run(what.call);
          if (what.throws) throw new Error("stop");
        };
        if (what.throws) expect(() => memory.peakDuring(body)).toThrow("stop");
        else expect(memory.peakDuring(body)).toBe(block * inside);
        most = Math.max(most, inside);
      }
      most = Math.max(most, stack.length);
    }
    return most;
  };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      memory.peakBytes = memory.bytesInUse;
      const most = run(steps);
      expect(memory.peakBytes).toBe(block * most);
    }),
  );
});

test("the peak of an asynchronous call is refused", () => {
  expect(() => new Memory().peakDuring(async () => 1)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: peakDuring: the body returned a promise, and the measurement ends when the body returns; measure inside the asynchronous code instead]`,
  );
});

test("sizeOf tells what an allocation takes", () => {
  const memory = new Memory();
  const powers = fc.integer({ min: 0, max: 27 }).map((power) => 2 ** power);
  const bytes = fc.oneof(
    fc.tuple(powers, fc.integer({ min: -1, max: 1 })).map(([power, more]) => power + more),
    fc.integer({ min: 0, max: 2 ** 28 }),
  );
  fc.assert(
    fc.property(bytes, (n) => {
      const before = memory.bytesInUse;
      const pointer = memory.allocate(n);
      expect(memory.bytesInUse - before).toBe(Memory.sizeOf(n));
      expect(Memory.sizeOf(n)).toBeGreaterThanOrEqual(n);
      expect(Memory.sizeOf(n)).toBeLessThan(Math.max(65, 1.25 * n + 1));
      memory.release(pointer, n);
    }),
  );
  // Above the address space too, where a budget is compared with what is needed.
  for (const n of [2 ** 32, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 1]) {
    expect(Memory.sizeOf(n) / n).toBeGreaterThanOrEqual(1);
    expect(Memory.sizeOf(n) / n).toBeLessThan(1.25 + 1e-9);
  }
});
