import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { named, scope, Tape, tensor, timeStep, zeros } from "../../src/index.ts";
import { indexOf } from "../../src/passes/site.ts";

const f64 = (x: number | number[] | number[][]) => tensor(x, { dtype: "float64" });

describe("forward", () => {
  test("nothing is said of what is finite", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const y = x.sin().sum();
      expect(tape.findNonFinite()).toBeUndefined();
      expect(tape.findNonFinite(y)).toBeUndefined();
      expect(tape.findNonFinite([y, x.mul(2).sum()])).toBeUndefined();
    });
  });

  test("an output that its inputs do not explain", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(
        f64([
          [4, 1, 9],
          [1, -2, -3],
        ]),
      );
      x.neg();
      const y = timeStep(7, () => named("outer", () => named("inner", () => x.sqrt())));
      y.mul(2);
      const found = tape.findNonFinite()!;
      expect(found).toEqual({
        op: "sqrt",
        entry: 1,
        shapes: "[2,3] -> [2,3]",
        t: 7,
        place: "outer.inner",
        line: undefined,
        sweep: "forward",
        value: Number.NaN,
        of: "its output",
        index: "[1,1]",
        causes: ["the watched x is -2 there"],
        message: found.message,
      });
      expect(found.message).toBe(
        "forward: its output holds NaN at [1,1]: sqrt [2,3] -> [2,3] (entry 1), time step 7, in outer.inner; the watched x is -2 there",
      );
    });
  });

  test("what came in bad, before the op that it came into", () => {
    scope(() => {
      const tape = new Tape();
      const { w } = tape.watch({ w: f64([1, Infinity]) });
      const x = tape.watch(f64([1, 2]));
      x.mul(w).add(f64([Number.NaN, 0]));
      expect(tape.findNonFinite()).toMatchObject({
        op: "mul",
        of: `"w"`,
        value: Infinity,
        index: "[1]",
        message: `forward: "w" holds Infinity at [1]: mul [2] [2] -> [2] (entry 0); the watched a is 2 there; "w" is Infinity there`,
      });
      expect(tape.findNonFinite(undefined, { onlyNaN: true })).toMatchObject({
        op: "add",
        of: "the constant b",
        value: Number.NaN,
        index: "[0]",
        causes: ["a, from mul, entry 0 is 1 there", "the constant b is NaN there"],
      });
    });
  });

  test("what was forgotten came in, too", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([0, 2]));
      const h = x.log();
      tape.forget(tape.mark(h));
      expect(tape.findNonFinite()).toBeUndefined();
      x.neg().add(h);
      expect(tape.findNonFinite()).toMatchObject({
        op: "add",
        entry: 2,
        of: "b, from entry 0, forgotten since",
        value: -Infinity,
        index: "[0]",
        causes: [
          "a, from neg, entry 1 is 0 there",
          "b, from entry 0, forgotten since is -Infinity there",
        ],
      });
    });
  });

  test("a scalar has an index too, and integers are never bad", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1e308, 1e308]));
      x.gather(tensor(Int32Array.of(0)));
      x.argmax();
      x.sum();
      expect(tape.findNonFinite()).toMatchObject({
        op: "sum",
        entry: 2,
        value: Infinity,
        index: "[]",
      });
    });
  });

  test("with the line of the program, on a tape that traces", () => {
    scope(() => {
      const tape = new Tape({ trace: true });
      tape.watch(f64(-1)).sqrt();
      const { line, caller, message } = tape.findNonFinite()!;
      expect(line!.file).toMatch(/findNonFinite\.test\.ts$/);
      const words = [line!, caller!].map((at) => `${at.file}:${at.line}:${at.column}`);
      expect(message).toContain(`(entry 0), at ${words[0]} (called at ${words[1]}); the watched x`);
    });
  });
});

describe("what caused it", () => {
  test("is the element that broadcasting puts there", () => {
    const shapes = fc.constantFrom<[number[], number[]]>(
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [2, 3],
        [2, 1],
      ],
      [
        [2, 3],
        [1, 3],
      ],
      [[2, 3], []],
      [
        [4, 2, 3],
        [2, 1],
      ],
      [
        [4, 2, 3],
        [4, 1, 3],
      ],
      [
        [4, 2, 3],
        [1, 1, 1],
      ],
    );
    fc.assert(
      fc.property(shapes, fc.nat(1000), ([shape, other], i) => {
        scope(() => {
          const size = shape.reduce((a, b) => a * b, 1);
          const at = i % size;
          const count = other.reduce((a, b) => a * b, 1);
          const small = tensor(
            Float64Array.from({ length: count }, (_, k) => k + 2),
            { shape: other },
          );
          const large = tensor(
            Float64Array.from({ length: size }, (_, k) => (k === at ? 1e308 : k)),
            { shape },
          );
          const tape = new Tape();
          tape.watch(large).mul(tape.watch(small));
          const expected = small.broadcastTo(shape).toTypedArray()[at];
          expect(tape.findNonFinite()).toMatchObject({
            value: Infinity,
            index: indexOf(at, shape),
            causes: ["the watched a is 1e+308 there", `the watched b is ${expected} there`],
          });
        });
      }),
    );
  });

  test("is the largest where shapes do not broadcast, and nothing where there is nothing", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(
        f64([
          [3, 1],
          [-1.7e308, -1.7e308],
          [5, 2],
        ]),
      );
      x.sum();
      expect(tape.findNonFinite()!.causes).toEqual([
        "the watched x is at most -1.7e+308 in size, at [1,0]",
      ]);
    });
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([[1, -2]]));
      x.matmul(
        f64([
          [1e308, 2],
          [3, Number.NaN],
        ]),
      );
      expect(tape.findNonFinite()!.causes).toEqual([
        "the watched a is -2 there",
        "the constant b is NaN there",
      ]);
    });
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(
        f64([
          [1e308, 1],
          [1e308, 1],
        ]),
      );
      x.sum(0);
      expect(tape.findNonFinite()).toMatchObject({
        op: "sum",
        index: "[0]",
        causes: ["the watched x is at most 1e+308 in size, at [0,0]"],
      });
    });
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(zeros([0], { dtype: "float64" }));
      x.pad([[1, 1]], -Infinity);
      expect(tape.findNonFinite()).toMatchObject({
        value: -Infinity,
        causes: ["the watched x is empty"],
      });
    });
  });
});

describe("backward", () => {
  test("the rule that makes it, and the input that it is of", () => {
    scope(() => {
      const tape = new Tape();
      const tree = tape.watch({ a: f64([4, 0]) });
      const y = tree.a.sqrt().sum();
      expect(tape.findNonFinite()).toBeUndefined();
      expect(tape.findNonFinite(y)!.message).toBe(
        `backward: the cotangent of its input x holds Infinity at [1]: sqrt [2] -> [2] (entry 0); "a" is 0 there`,
      );
      expect(tape.findNonFinite(y, { onlyNaN: true })).toBeUndefined();
    });
  });

  test("the first of them, from the target down", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([0, 1]));
      const y = x.sqrt().mul(1).sqrt().sum();
      expect(tape.findNonFinite(y)).toMatchObject({ sweep: "backward", op: "sqrt", entry: 2 });
      // The tape holds nothing else than before.
      expect(tape.stats().entries).toBe(4);
    });
  });

  test("a sum of finite ones", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([0]));
      const y = x.neg();
      const z = y.mul(1.5e308).add(y.mul(1.5e308));
      expect(tape.findNonFinite(z)).toMatchObject({
        sweep: "backward",
        op: "neg",
        of: "the cotangent of its output (a sum of finite ones, or the one to start from)",
        value: Infinity,
        index: "[0]",
      });
    });
  });
});

test("an index along each axis is the position, row by row", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(shapes, fc.nat(1000), (shape, i) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const index = JSON.parse(indexOf(i % size, shape)) as number[];
      expect(index).toHaveLength(shape.length);
      for (const [axis, k] of index.entries()) {
        expect(k).toBeGreaterThanOrEqual(0);
        expect(k).toBeLessThan(shape[axis]!);
      }
      expect(index.reduce((sum, k, axis) => sum * shape[axis]! + k, 0)).toBe(i % size);
    }),
  );
});
