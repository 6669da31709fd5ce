import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, type OpDeclaration } from "../../src/extend.ts";
import { createBackend, neg, scope, Tape, type Tensor, tensor } from "../../src/index.ts";
import { liveView } from "../../src/ndarray.ts";
import { differentials, directions, inner, matrix, numbers, programs, record } from "./programs.ts";

const f64 = (x: number | number[]) => tensor(x, { dtype: "float64" });

/**
 * A program; where to cut it; the values to start from, with cotangents; and a direction to test
 * gradients along.
 */
const cases = fc.record({
  program: programs,
  cut: fc.nat(11),
  seeds: fc.array(fc.tuple(fc.nat(14), directions), { minLength: 1, maxLength: 3 }),
  direction: directions,
  asked: fc.array(fc.boolean(), { minLength: 15, maxLength: 15 }),
});

describe("a gradient of a random program is the transpose of its differential", () => {
  test.each([
    ["plain", { record: false, forget: false }],
    ["recorded", { record: true, forget: false }],
    ["after what lies before the cut was forgotten", { record: false, forget: true }],
  ])("%s", (_how, { record: recorded, forget }) => {
    fc.assert(
      fc.property(cases, ({ program, cut, seeds, direction, asked }) => {
        scope(() => {
          const { tape, values, marks } = record(program);
          const since = cut % marks.length;
          const before = program.leaves.length + since;
          if (forget) tape.forget(marks[since]!);
          // What lies before the cut is no target: leaves are, and all that follows.
          const from = seeds.map(([i]) => before + (i % (values.length - before)));
          const cotangents = seeds.map(([, c]) => matrix(c));
          const targets = Object.fromEntries([...values.entries()].filter(([i]) => asked[i]));
          const found = tape.gradientIfReached(
            from.map((i) => values[i]!),
            targets,
            { since: marks[since]!, record: recorded, cotangent: cotangents },
          );
          expect([...found.keys()].filter((path) => !(path in targets))).toEqual([]);
          for (const i of Object.keys(targets).map(Number)) {
            const change = differentials(program, new Map([[i, direction]]), since);
            const reached = from.filter((seed) => change[seed] !== undefined);
            const g = found.get(String(i));
            expect([i, g !== undefined]).toEqual([i, reached.length > 0]);
            if (g === undefined) continue;
            const expected = seeds.reduce(
              (sum, [, c], k) => sum + inner(c, change[from[k]!] ?? [0, 0, 0, 0]),
              0,
            );
            expect(inner(numbers(g), direction)).toBeCloseTo(expected, 9);
          }
          // Whoever gave the cotangents has them as they were.
          for (const [k, c] of cotangents.entries()) expect(numbers(c)).toEqual(seeds[k]![1]);
        });
      }),
      { numRuns: 300 },
    );
  });

  const second = fc.record({
    any: programs,
    u: directions,
    v: directions,
    w: directions,
    by: fc.tuple(fc.nat(2), fc.nat(2)),
  });

  test.each(["on the tape that recorded the first", "on a tape around it"])(
    "and again a program: the second derivative, %s",
    (where) => {
      fc.assert(
        fc.property(second, ({ any, u, v, w, by }) => {
          // Smooth, and so small that central differences are good to many digits.
          const steps = any.steps.filter(({ op }) => op !== "positive").slice(0, 5);
          const program = { ...any, steps };
          const [i, j] = by.map((k) => k % program.leaves.length) as [number, number];
          scope(() => {
            const outer = new Tape();
            const nested = where === "on a tape around it";
            // The tape around watches the one leaf that it differentiates by.
            const around = program.leaves.map((leaf, k) =>
              k === j ? outer.watch(matrix(leaf)) : matrix(leaf),
            );
            const { tape, values } = record(program, new Tape(), nested ? around : undefined);
            const last = values.at(-1)!;
            const g = tape.gradient(last, values[i]!, { record: !nested, cotangent: matrix(u) });
            const first = g.mul(matrix(v)).sum();
            const [again, leaves] = nested ? [outer, around] : [tape, values];
            const found = again.tracks(first) ? numbers(again.gradient(first, leaves[j]!)) : none;
            // The change of <u, J_i v> as leaf j moves along w.
            const along = (h: number): number => {
              const moved = program.leaves.map((leaf, k) =>
                k === j ? leaf.map((y, n) => y + h * w[n]!) : leaf,
              );
              const given = new Map([[i, v]]);
              return inner(u, differentials({ ...program, leaves: moved }, given).at(-1) ?? none);
            };
            const slope = (h: number) => (along(h) - along(-h)) / (2 * h);
            const expected = (4 * slope(1e-4) - slope(2e-4)) / 3;
            const error = Math.abs(inner(found, w) - expected);
            expect(error / (1 + Math.abs(expected))).toBeLessThan(1e-6);
          });
        }),
        { numRuns: 300 },
      );
    },
  );
});

const none = [0, 0, 0, 0];

describe("cotangents that share bytes", () => {
  test("each place adds up its own", () => {
    scope(() => {
      const tape = new Tape();
      const [a, b] = tape.watch([f64([1, 2]), f64([3, 4])] as const);
      const square = a.square();
      // The sum's cotangent arrives at a and at b as one; a's share of the square must not reach b.
      const y = a.add(b);
      const [ga, gb, gy] = tape.gradient([square, y], [a, b, y], {
        cotangent: [f64([1, 1]), f64([10, 20])],
      });
      expect([ga, gb, gy].map((g) => g!.toArray())).toEqual([
        [12, 24],
        [10, 20],
        [10, 20],
      ]);
    });
  });

  test("gradients asked for twice, and of one block, are each whole", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const y = x.mul(3);
      const found = tape.gradient(y.sum(), [x, y, x, y]);
      expect(found.map((g) => g.toArray())).toEqual([
        [3, 3],
        [1, 1],
        [3, 3],
        [1, 1],
      ]);
    });
  });

  test("a product that adds in place leaves the others' alone", () => {
    scope(() => {
      const tape = new Tape();
      const [w, v] = tape.watch([matrix([1, 2, 3, 4]), matrix([0, 1, 1, 0])] as const);
      const x = matrix([1, 1, 0, 1]);
      // The product's rule adds to w's gradient, which arrived as the sum's and belongs to v and to
      // the caller too.
      const product = x.matmul(w);
      const sum = w.add(v);
      const c = matrix([1, 2, 3, 4]);
      const [gw, gv] = tape.gradient([product, sum], [w, v], {
        cotangent: [matrix([1, 0, 0, 1]), c],
      });
      // x^T I + c.
      expect(numbers(gw!)).toEqual([2, 2, 4, 5]);
      expect(numbers(gv!)).toEqual([1, 2, 3, 4]);
      expect(numbers(c)).toEqual([1, 2, 3, 4]);
    });
  });
});

describe("what a sweep holds", () => {
  test("is one cotangent of a chain at a time, and at the end the gradients alone", () => {
    const size = 1000;
    const peak = (length: number): { most: number; left: number } => {
      const backend = createBackend();
      const ones = () => tensor(new Float64Array(size).fill(1), { backend });
      return scope(() => {
        const tape = new Tape();
        const x = tape.watch(ones());
        let y: Tensor = x;
        for (let i = 0; i < length; i++) y = y.sin();
        const cotangent = ones();
        const { memory } = backend;
        const before = memory.bytesInUse;
        memory.peakBytes = before;
        tape.gradient(y, x, { cotangent });
        return { most: memory.peakBytes - before, left: memory.bytesInUse - before };
      });
    };
    expect(peak(50)).toEqual(peak(10));
    // One gradient, in its size class.
    expect(peak(50).left).toBeLessThan(2 * 8 * size);
  });

  test("is returned when a rule throws, and the tape can be swept again", () => {
    const backend = createBackend();
    scope(() => {
      const tape = new Tape();
      const raw = tensor([1, 2, 3], { backend });
      const x = tape.watch(raw);
      const late = x.square().sin().exp();
      liveView(raw);
      const { memory } = backend;
      const ones = tensor([1, 1, 1], { backend });
      const before = memory.bytesInUse;
      expect(() => tape.gradient(late, x, { cotangent: ones })).toThrow(/square \(entry 0/);
      expect(memory.bytesInUse).toBe(before);
      const y = x.neg();
      expect(tape.gradient(y, x, { cotangent: ones }).toArray()).toEqual([-1, -1, -1]);
    });
  });

  test("is returned when a rule throws half-way", () => {
    const backend = createBackend();
    const declaration: OpDeclaration = {
      ...(neg.declaration as OpDeclaration),
      name: "failing",
      vjp: [
        (g) => {
          g.add(g);
          throw new Error("mine");
        },
      ],
    };
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(tensor([1, 2, 3], { backend }));
      const y = apply(declaration, [x.sin()], undefined).exp();
      const ones = tensor([1, 1, 1], { backend });
      const before = backend.memory.bytesInUse;
      expect(() => tape.gradient(y, x, { cotangent: ones })).toThrow("mine");
      expect(backend.memory.bytesInUse).toBe(before);
    });
  });

  test("is returned where sums are not made in place, too", () => {
    const backend = createBackend();
    const before = backend.memory.bytesInUse;
    scope(() => {
      const tape = new Tape();
      const [a, b] = tape.watch([
        tensor([1, 2], { backend }),
        tensor([3, 4], { backend }),
      ] as const);
      // The cotangent of the sum is at a and b at once when that of the square arrives.
      const c = [tensor([1, 1], { backend }), tensor([1, 1], { backend })];
      const g = tape.gradient([a.square(), a.add(b)], [a, b], { cotangent: c });
      expect(g.map((x) => x.toArray())).toEqual([
        [3, 5],
        [1, 1],
      ]);
    });
    // Plain numbers in rules are kept by the backend.
    const kept = scope(() => backend.memory.bytesInUse) - before;
    scope(() => {
      const tape = new Tape();
      const a = tape.watch(tensor(new Float32Array(1000), { backend }));
      const b = tape.watch(tensor(new Float32Array(1000), { backend }));
      const c = () => tensor(new Float32Array(1000), { backend });
      tape.gradient([a.square(), a.add(b)], [a, b], { cotangent: [c(), c()] });
    });
    expect(backend.memory.bytesInUse - before).toBe(kept);
  });

  test("intermediate values are gone with it, and say why", () => {
    scope(() => {
      const seen: Tensor[] = [];
      const outer = new Tape();
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const spy = x.sin().exp();
      const entry = tape.entries.at(1);
      const { vjp } = entry.declaration;
      if (!Array.isArray(vjp)) throw new Error("exp has one rule per input");
      const rules = vjp as ((g: Tensor, ...rest: unknown[]) => Tensor)[];
      const [rule] = rules;
      rules[0] = (g, ...rest) => {
        const result = rule!(g, ...rest);
        seen.push(result);
        return result;
      };
      try {
        tape.gradient(spy, x, { cotangent: f64([1, 1]) });
      } finally {
        rules[0] = rule!;
      }
      expect(outer.stats().entries).toBe(0);
      expect(() => seen[0]!.add(1)).toThrow(
        /is gone: it was an intermediate value of a backward sweep/,
      );
    });
  });
});

describe("a tape around sees every part of a gradient", () => {
  // y = f(w) v + w / 2: the half arrives at w first, untracked, then what depends on v.
  const parts: [string, (x: Tensor, w: Tensor) => Tensor][] = [
    ["also one that would be added in place", (x, w) => x.matmul(w)],
    ["and any other", (x, w) => x.mul(w)],
  ];
  test.each(parts)("%s", (_which, f) => {
    scope(() => {
      const [outer, inner] = [new Tape(), new Tape()];
      const v = outer.watch(matrix([5, 6, 7, 8]));
      const w = inner.watch(matrix([1, 2, 3, 4]));
      const x = matrix([2, 0, 0, 2]);
      const y = f(x, w).mul(v).add(w.mul(0.5));
      const one = matrix([1, 1, 1, 1]);
      const g = inner.gradient(y, w, { cotangent: one });
      const isProduct = f(x, one).toArray<number[][]>()[0]![1] === 2;
      // The gradient is x v + 1/2, element by element or as a matrix; by v it is x, or x^T 1.
      expect(numbers(g)).toEqual(isProduct ? [10.5, 12.5, 14.5, 16.5] : [10.5, 0.5, 0.5, 16.5]);
      const second = outer.gradient(g, v, { cotangent: one });
      expect(numbers(second)).toEqual(isProduct ? [2, 2, 2, 2] : [2, 0, 0, 2]);
    });
  });
});

describe("adding up in place", () => {
  const size = 64;
  /** What a sweep needs beyond the gradient itself, for a weight that is used again and again. */
  const overhead = (uses: number, use: (x: Tensor, w: Tensor) => Tensor): number => {
    const backend = createBackend();
    return scope(() => {
      const tape = new Tape();
      const w = tape.watch(tensor(new Float64Array(size * size), { shape: [size, size], backend }));
      const x = tensor(new Float64Array(size), { shape: [1, size], backend });
      const parts = Array.from({ length: uses }, () => use(x, w));
      const cotangents = parts.map(({ shape }) =>
        tensor(new Float64Array(shape[0]! * shape[1]!), { shape, backend }),
      );
      const { memory } = backend;
      const before = memory.bytesInUse;
      memory.peakBytes = before;
      tape.gradient(parts, w, { cotangent: cotangents });
      return (memory.peakBytes - before) / (8 * size * size);
    });
  };

  test("a product adds to the gradient of its weight without a copy of its size", () => {
    const product = (x: Tensor, w: Tensor) => x.matmul(w);
    // Contributions that wait to be added up together take a part of that size, however many there
    // are.
    expect(overhead(200, product)).toBe(overhead(20, product));
    expect(overhead(200, product)).toBeLessThan(1.5);
  });

  test("any other rule with the gradient and one value beside it", () => {
    const scaled = (_: Tensor, w: Tensor) => w.mul(0.5);
    expect(overhead(20, scaled)).toBe(overhead(3, scaled));
    expect(overhead(20, scaled)).toBeLessThan(2.5);
  });
});

describe("where a sweep goes", () => {
  test("not into another tape, whatever its positions are", () => {
    scope(() => {
      const [tape, other] = [new Tape(), new Tape()];
      const x = tape.watch(f64([1, 2]));
      let z: Tensor = other.watch(f64([3, 4]));
      const y = x.mul(2);
      expect(tape.gradient([y.sum(), other.watch(f64(5))], x).toArray()).toEqual([2, 2]);
      for (let i = 0; i < 5; i++) {
        z = z.sin();
        expect(
          tape.gradient([y, z], x, { cotangent: [f64([1, 1]), f64([1, 1])] }).toArray(),
        ).toEqual([2, 2]);
        expect(
          tape.gradient([z, y], x, { cotangent: [f64([1, 1]), f64([1, 1])] }).toArray(),
        ).toEqual([2, 2]);
      }
    });
  });

  test("entries after the target are not looked at", () => {
    scope(() => {
      const tape = new Tape();
      const raw = f64([1, 2]);
      const x = tape.watch(f64([3, 4]));
      const y = x.neg();
      const late = tape.watch(raw).mul(x);
      liveView(raw);
      expect(tape.gradient(y.sum(), x).toArray()).toEqual([-1, -1]);
      expect(() => tape.gradient(late.sum(), x)).toThrow(/was changed through a live view/);
      // A value that was made after the target is none that it depends on.
      expect([...tape.gradientIfReached(y.sum(), { x, late }).keys()]).toEqual(["x"]);
    });
  });

  test("entries that lead to no target are not looked at", () => {
    scope(() => {
      const tape = new Tape();
      const raw = f64([1, 2]);
      const [x, other] = [tape.watch(f64([3, 4])), tape.watch(raw)];
      const y = x.add(other.square()).sum();
      liveView(raw);
      expect(tape.gradient(y, x).toArray()).toEqual([1, 1]);
      expect(() => tape.gradient(y, other)).toThrow(/square \(entry 0/);
    });
  });

  test("a mark from before what was forgotten cuts where the tape begins", () => {
    scope(() => {
      const tape = new Tape();
      const w = tape.watch(f64(3));
      const early = tape.mark();
      const h = w.mul(2);
      tape.forget(tape.mark(h));
      expect(tape.gradient(w.mul(h), w, { since: early }).item()).toBe(6);
    });
  });

  test("a leaf is its own gradient, and no other's", () => {
    scope(() => {
      const tape = new Tape();
      const [x, z] = tape.watch([f64([1, 2]), f64([1, 2])] as const);
      const found = tape.gradientIfReached(x, { x, z }, { cotangent: f64([5, 7]) });
      expect([...found].map(([path, g]) => [path, g.toArray()])).toEqual([["x", [5, 7]]]);
    });
  });
});
