import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, type OpDeclaration } from "../../src/extend.ts";
import { createBackend, jvp, neg, scope, Tape, type Tensor, tensor } from "../../src/index.ts";
import { liveView } from "../../src/ndarray.ts";
import { forward } from "../../src/passes/forward.ts";
import {
  differentials,
  directions,
  type Matrix,
  matrix,
  numbers,
  programs,
  record,
} from "./programs.ts";

const f64 = (x: number | number[]) => tensor(x, { dtype: "float64" });

test("a tangent of a random program is its differential", () => {
  fc.assert(
    fc.property(
      programs,
      fc.array(fc.option(directions, { nil: undefined }), { minLength: 3, maxLength: 3 }),
      fc.array(fc.nat(14), { minLength: 1, maxLength: 4 }),
      fc.nat(11),
      (program, changes, asked, cut) => {
        scope(() => {
          const { tape, values, marks } = record(program);
          // What was forgotten is constant, whatever it depended on.
          const since = cut % marks.length;
          tape.forget(marks[since]!);
          const given = new Map<number, Matrix>();
          for (const i of program.leaves.keys()) {
            const change = changes[i];
            if (change !== undefined) given.set(i, change);
          }
          const tangents = new Map([...given].map(([i, change]) => [i, matrix(change)]));
          const expected = differentials(program, given, since);
          const from = asked.map((i) => i % values.length);
          const found = forward(
            tape,
            tangents,
            from.map((i) => values[i]!),
          );
          for (const [k, i] of from.entries()) {
            const [t, change] = [found[k], expected[i]];
            expect([i, t !== undefined]).toEqual([i, change !== undefined]);
            if (t === undefined) continue;
            for (const [j, x] of numbers(t).entries()) expect(x).toBeCloseTo(change![j]!, 9);
          }
          for (const [i, t] of tangents) expect(numbers(t)).toEqual(given.get(i));
        });
      },
    ),
    { numRuns: 300 },
  );
});

test("a forward sweep over a forward sweep is the second derivative", () => {
  const derivative = (f: (x: Tensor) => Tensor) => (x: Tensor) => jvp(f, x, f64([1, 1]))[1];
  const x = [0.3, -1.2];
  const second = derivative(derivative((z) => z.sin().mul(z)))(f64(x));
  // (x sin x)'' = 2 cos x - x sin x.
  for (const [i, value] of numbers(second).entries()) {
    expect(value).toBeCloseTo(2 * Math.cos(x[i]!) - x[i]! * Math.sin(x[i]!), 13);
  }
  // Of the tangent that was put in as well: nothing is between it and the output.
  const [, same] = jvp((dx) => jvp((z) => z, f64([1, 2]), dx)[1], f64([3, 4]), f64([5, 6]));
  expect(numbers(same)).toEqual([5, 6]);
});

describe("what a sweep holds", () => {
  test("is one tangent of a chain at a time, and at the end the asked ones alone", () => {
    const size = 1000;
    const run = (length: number) => {
      const backend = createBackend();
      return scope(() => {
        const ones = () => tensor(new Float64Array(size).fill(1), { backend });
        const tape = new Tape();
        const x = tape.watch(ones());
        let y: Tensor = x;
        for (let i = 0; i < length; i++) y = y.sin();
        const tangents = new Map([[0, ones()]]);
        const { memory } = backend;
        const before = memory.bytesInUse;
        memory.peakBytes = before;
        forward(tape, tangents, [y]);
        return { most: memory.peakBytes - before, left: memory.bytesInUse - before };
      });
    };
    expect(run(50)).toEqual(run(10));
    expect(run(50).left).toBeLessThan(2 * 8 * size);
  });

  test("is returned when a value that a rule needs has changed", () => {
    const backend = createBackend();
    scope(() => {
      const tape = new Tape();
      const raw = tensor([1, 2], { backend });
      const x = tape.watch(tensor([3, 4], { backend }));
      const y = x.sin().mul(tape.watch(raw));
      liveView(raw);
      const tangents = new Map([[0, tensor([1, 1], { backend })]]);
      const before = backend.memory.bytesInUse;
      expect(() => forward(tape, tangents, [y])).toThrow(/mul \(entry 1/);
      expect(backend.memory.bytesInUse).toBe(before);
    });
  });

  test("is returned when a rule throws half-way", () => {
    const backend = createBackend();
    const declaration: OpDeclaration = {
      ...(neg.declaration as OpDeclaration),
      name: "failing",
      jvp: ([dx]) => {
        dx!.add(dx!);
        throw new Error("mine");
      },
    };
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(tensor([1, 2, 3], { backend }));
      const y = apply(declaration, [x.sin()], undefined).exp();
      const tangents = new Map([[0, tensor([1, 1, 1], { backend })]]);
      const before = backend.memory.bytesInUse;
      expect(() => forward(tape, tangents, [y])).toThrow("mine");
      expect(backend.memory.bytesInUse).toBe(before);
    });
  });

  test("lasts until its last use, after a part of the tape was forgotten too", () => {
    // h_t = sin(h_{t-1}) + h_{t-2}: two tangents are needed at a time, and those that are asked for
    // stay.
    const size = 1000;
    const run = (length: number, asked: number) => {
      const backend = createBackend();
      return scope(() => {
        const tape = new Tape();
        const x = tape.watch(tensor(new Float64Array(size), { backend }));
        x.exp();
        tape.forget(tape.mark());
        const h: Tensor[] = [x, x.neg()];
        for (let t = 0; t < length; t++) h.push(h.at(-1)!.sin().add(h.at(-2)!));
        const tangents = new Map([[0, tensor(new Float64Array(size).fill(1), { backend })]]);
        const { memory } = backend;
        const before = memory.bytesInUse;
        memory.peakBytes = before;
        forward(tape, tangents, h.slice(-asked));
        return memory.peakBytes - before;
      });
    };
    expect(run(40, 1)).toBe(run(10, 1));
    expect(run(40, 2)).toBe(run(10, 2));
  });

  test("is a tangent of its own for every asker", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const y = x.neg();
      const dx = f64([3, 4]);
      const found = forward(tape, new Map([[0, dx]]), [y, x, y]);
      expect(found.map((t) => t!.toArray())).toEqual([
        [-3, -4],
        [3, 4],
        [-3, -4],
      ]);
    });
  });

  test("intermediate tangents are gone with it, and say why", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const y = x.sin().sin();
      const { declaration } = tape.entries.at(1);
      const rules = declaration as {
        jvp: (tangents: readonly (Tensor | null)[], ...rest: unknown[]) => Tensor;
      };
      const { jvp } = rules;
      const seen: Tensor[] = [];
      rules.jvp = (tangents, ...rest) => {
        const result = jvp(tangents, ...rest);
        // What a rule computes on the way, and its last result.
        seen.push(result.mul(2), result);
        return result;
      };
      try {
        forward(tape, new Map([[0, f64([1, 1])]]), [y]);
      } finally {
        rules.jvp = jvp;
      }
      expect(seen).toHaveLength(4);
      for (const value of seen.slice(0, 3)) {
        expect(() => value.add(1)).toThrow(
          /is gone: it was an intermediate value of a forward sweep/,
        );
      }
    });
  });
});

describe("where a sweep goes", () => {
  test("no further than the last output, and past nothing that does not vary", () => {
    scope(() => {
      const tape = new Tape();
      const raw = f64([1, 2]);
      const [x, other] = [tape.watch(f64([3, 4])), tape.watch(raw)];
      const idle = other.square();
      const y = x.neg().add(idle);
      const late = other.square();
      liveView(raw);
      // `square` needs what has changed, but is asked for nothing.
      const [t] = forward(tape, new Map([[0, f64([1, 1])]]), [y]);
      expect(t!.toArray()).toEqual([-1, -1]);
      expect(() => forward(tape, new Map([[1, f64([1, 1])]]), [late])).toThrow(
        /was changed through a live view/,
      );
      const [none] = forward(tape, new Map([[0, f64([1, 1])]]), [late]);
      expect(none).toBeUndefined();
    });
  });

  test("through an op that has no tangent rule, nothing", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([3, 4]));
      const [t] = forward(tape, new Map([[0, f64([1, 1])]]), [x.greater(3)]);
      expect(t).toBeUndefined();
    });
  });
});
