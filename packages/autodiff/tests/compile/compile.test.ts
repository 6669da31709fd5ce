import { describe, expect, test } from "vitest";
import {
  compile,
  concat,
  createBackend,
  grad,
  jvp,
  lstmCellState,
  lstmGates,
  lstmOutput,
  scope,
  Tape,
  type Tensor,
  tensor,
  tree,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/internal.ts";

const f64 = (x: number | number[] | number[][]) => tensor(x, { dtype: "float64" });

/** A recurrence of T steps with a head and a loss, its gradient by everything. */
function recurrence(T: number) {
  return (params: { W: Tensor; U: Tensor; b: Tensor; V: Tensor }, xs: Tensor, targets: Tensor) => {
    const tape = new Tape();
    const { W, U, b, V } = tape.watch(params);
    let h: Tensor = xs.slice([0]).mul(0).matmul(params.W);
    const losses: Tensor[] = [];
    for (let t = 0; t < T; t++) {
      h = xs.slice([t]).matmul(W).add(h.matmul(U)).add(b).tanh();
      losses.push(crossEntropy(h.matmul(V), targets.slice([t])).sum());
    }
    const loss = losses.reduce((a, l) => a.add(l));
    return {
      loss: tape.strip(loss),
      h: tape.strip(h),
      gradient: tape.gradient(loss, { W, U, b, V }),
    };
  };
}

function numbers(n: number, seed: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => Math.sin(seed + 1.7 * i));
}

function problem(T: number, seed: number, dtype: "float64" | "float32" = "float64") {
  const of = (shape: number[], at: number) =>
    tensor(
      numbers(
        shape.reduce((a, b) => a * b),
        seed + at,
      ),
      { shape, dtype },
    );
  const params = { W: of([3, 5], 1), U: of([5, 5], 2), b: of([5], 3), V: of([5, 4], 4) };
  const targets = tensor(
    Int32Array.from({ length: 2 * T }, (_, i) => (i * 7 + seed) % 4),
    {
      shape: [T, 2],
    },
  );
  return [params, of([T, 2, 3], 5), targets] as const;
}

function distance(a: unknown, b: unknown): number {
  const [x, y] = [a, b].map((nested) =>
    tree.leaves(nested).flatMap((leaf) => [...leaf.toTypedArray()]),
  );
  expect(x!.length).toBe(y!.length);
  return Math.max(...x!.map((value, i) => Math.abs(value - y![i]!)));
}

describe("compile", () => {
  test.each([1, 2, 7])("gives the values and gradients of a recurrence of %i steps", (T) => {
    scope(() => {
      const step = recurrence(T);
      const fast = compile(step);
      for (const seed of [1, 2, 3]) {
        const given = problem(T, seed);
        expect(distance(fast(...given), step(...given))).toBeLessThan(1e-12);
      }
      expect(fast.explain().split("\n")).toHaveLength(1);
    });
  });

  test("runs products by a shared weight, and their gradients, over all steps as one", () => {
    scope(() => {
      const products = (T: number) => {
        const fast = compile(recurrence(T));
        fast(...problem(T, 1));
        return (fast.explain().match(/(\d+) float64\.matmul(Packed)?/g) ?? [])
          .map((words) => Number.parseInt(words, 10))
          .reduce((a, b) => a + b, 0);
      };
      // Per step: h U, and its cotangent by U' and by V'. All others are a few for any number of
      // steps.
      const [ten, twenty] = [products(10), products(20)];
      expect((twenty - ten) / 10).toBeLessThanOrEqual(3);
      expect(ten - 30).toBeLessThan(9);
    });
  });

  test("is bitwise the function where no sum changes its order", () => {
    scope(() => {
      const f = (x: Tensor, w: Tensor) =>
        x
          .matmul(w)
          .add(1)
          .tanh()
          .mul(x.sum(1, { keepDims: true }));
      const [x, w] = [
        f64([
          [1, 2],
          [3, 4.5],
        ]),
        f64([
          [0.1, 0.2],
          [0.3, -0.4],
        ]),
      ];
      expect(compile(f)(x, w).toArray()).toEqual(f(x, w).toArray());
    });
  });

  test("keeps sums over overlapping rows apart: their operands do not lie side by side", () => {
    const f = (x: Tensor) => {
      const y = x.mul(1);
      return [
        y
          .slice([[0, 2]])
          .sum(0)
          .tanh(),
        y
          .slice([[1, 3]])
          .sum(0)
          .tanh(),
      ];
    };
    const [first, second] = compile(f)(
      f64([
        [0.1, 0.2],
        [0.3, 0.4],
        [0.5, 0.6],
      ]),
    );
    const near = (x: Tensor, sums: number[]) => {
      for (const [i, sum] of sums.entries())
        expect(x.toTypedArray()[i]).toBeCloseTo(Math.tanh(sum), 14);
    };
    near(first!, [0.4, 0.6]);
    near(second!, [0.8, 1]);
  });

  test("plans anew for other shapes, dtypes, structures and numbers, once each", () => {
    scope(() => {
      const fast = compile((nested: { x: Tensor; by?: number }) => nested.x.mul(nested.by ?? 1));
      expect(fast({ x: f64([1, 2]), by: 3 }).toArray()).toEqual([3, 6]);
      expect(fast({ x: f64([1, 2]), by: 4 }).toArray()).toEqual([4, 8]);
      expect(fast({ x: f64([1, 2, 3]), by: 4 }).toArray()).toEqual([4, 8, 12]);
      expect(fast({ x: tensor([1, 2]), by: 4 }).dtype).toBe("float32");
      expect(fast({ x: f64([1, 2]) }).toArray()).toEqual([1, 2]);
      fast({ x: f64([5, 6]), by: 4 });
      expect(fast.explain().split("\n")).toHaveLength(5);
    });
  });

  test("returns inputs, views, constants, and one value twice", () => {
    scope(() => {
      const c = f64([7]);
      const fast = compile((x: Tensor) => {
        const y = x.mul(2);
        return { x, part: x.slice([1]), y, again: y, tail: y.slice([[1, 3]]), c, sum: y.sum() };
      });
      for (const values of [
        [1, 2, 3],
        [4, 5, 6],
      ]) {
        const { x, part, y, again, tail, sum, c: constant } = fast(f64(values));
        const doubled = values.map((v) => 2 * v);
        expect([x.toArray(), part.item()]).toEqual([values, values[1]]);
        expect([y.toArray(), again.toArray(), tail.toArray()]).toEqual([
          doubled,
          doubled,
          doubled.slice(1),
        ]);
        expect([sum.item(), constant.item()]).toEqual([doubled.reduce((a, b) => a + b), 7]);
      }
    });
  });

  test("results live on when it runs again, and inputs are not changed", () => {
    scope(() => {
      const fast = compile((x: Tensor) => x.exp().sum());
      const x = f64([0, 0]);
      const first = fast(x);
      fast(f64([1, 1]));
      expect([first.item(), x.toArray()]).toEqual([2, [0, 0]]);
    });
  });

  test("takes constants from outside, and keeps them", () => {
    const fast = scope(() => {
      const scaled = compile((x: Tensor) => x.mul(tensor([10, 100], { dtype: "float64" })));
      scaled(f64([1, 1]));
      return [scaled] as const;
    })[0];
    scope(() => {
      for (let i = 0; i < 100; i++) f64([i, i]);
      expect(fast(f64([1, 2])).toArray()).toEqual([10, 200]);
    });
  });

  test("nests, and works beneath grad and on any kernels", () => {
    scope(() => {
      const inner = compile((x: Tensor) => x.sin());
      const outer = compile((x: Tensor) => inner(x).mul(inner(x.mul(2))));
      const x = f64([0.3]);
      expect(outer(x).item()).toBeCloseTo(Math.sin(0.3) * Math.sin(0.6), 15);
      expect(outer.explain()).toMatch(/kernel calls/);
      expect(grad((z: Tensor) => inner(z).sum())(x).item()).toBeCloseTo(Math.cos(0.3), 15);
      const forward = compile((z: Tensor, v: Tensor) => jvp((y: Tensor) => y.sin(), z, v)[1]);
      expect(forward(x, f64([2])).item()).toBeCloseTo(2 * Math.cos(0.3), 15);
      const plain = createBackend({ kernels: "simd-plain" });
      expect(inner(tensor([0.3], { dtype: "float64", backend: plain })).item()).toBeCloseTo(
        Math.sin(0.3),
        15,
      );
    });
  });

  test.each<[string, (x: Tensor) => Tensor, RegExp]>([
    ["reads a number", (x) => x.mul(x.sum().item()), /read or written by JavaScript/],
    [
      "branches on values",
      (x) => (x.toTypedArray()[0]! > 0 ? x : x.neg()),
      /read or written by JavaScript/,
    ],
    [
      "looks up computed indices",
      (x) => x.gather(x.greater(3).cast("int32")),
      /indices are computed/,
    ],
  ])("a function that %s runs as it is, and says why", (_what, f, reason) => {
    scope(() => {
      const fast = compile(f);
      for (const values of [
        [1, 2],
        [-1, 5],
      ]) {
        expect(fast(f64(values)).toArray()).toEqual(f(f64(values)).toArray());
      }
      expect(fast.explain()).toMatch(reason);
    });
  });

  test("an index out of range is the function's own error", () => {
    scope(() => {
      const fast = compile((x: Tensor, i: Tensor) => x.gather(i));
      const at = (...i: number[]) => tensor(Int32Array.from(i));
      expect(fast(f64([1, 2, 3]), at(2, 0)).toArray()).toEqual([3, 1]);
      expect(() => fast(f64([1, 2, 3]), at(1, 3))).toThrow(
        /gather: index 3 at position 1 is out of range/,
      );
    });
  });

  test("the function's own errors pass through, and leave nothing behind", () => {
    scope(() => {
      const fast = compile((x: Tensor, y: Tensor) => x.matmul(y));
      expect(() => fast(f64([[1]]), f64([[1], [2]]))).toThrow(/inner dimensions must agree/);
      expect(fast(f64([[2]]), f64([[3]])).item()).toBe(6);
    });
  });

  test("wrong arguments get a sentence", () => {
    expect(() => compile(3 as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: expected a function of tensors, got 3]`,
    );
    const fast = compile((_x: unknown) => f64(1));
    expect(() => fast(new Map())).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: the argument at "0" is an instance of Map, expected tensors, numbers and strings in plain objects and arrays]`,
    );
    expect(() => fast(() => 3)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: the argument at "0" is a function, expected tensors, numbers and strings in plain objects and arrays]`,
    );
  });

  test("holds no more memory after a thousand runs than after one", () => {
    const backend = createBackend();
    const fast = compile(recurrence(5));
    const run = () =>
      scope(() => {
        const move = (x: Tensor) =>
          tensor(x.toTypedArray(), { shape: x.shape, dtype: x.dtype, backend });
        const [{ W, U, b, V }, xs, targets] = problem(5, 1);
        fast({ W: move(W), U: move(U), b: move(b), V: move(V) }, move(xs), move(targets));
      });
    run();
    const { bytesInUse } = backend.memory;
    for (let i = 0; i < 1000; i++) run();
    expect(backend.memory.bytesInUse).toBe(bytesInUse);
  });
});

test("a cotangent from outside is not written to where it meets one of the program", () => {
  const gates = f64([
    [0.5, -1, 0.25, 2],
    [-0.5, 1, 0, 3],
  ]);
  const c = f64([[0.75], [-2]]);
  const both = f64([
    [3, 5],
    [7, 11],
  ]);
  // c gets the second column, and then what arrives through the output is added to it.
  const f = (x: Tensor, before: Tensor): Tensor => {
    const tape = new Tape();
    const watched = tape.watch(x) as Tensor;
    const activated = lstmGates(watched);
    const after = lstmCellState(activated, before);
    const joined = concat([lstmOutput(activated, after), after], 1);
    return tape.gradient(joined, watched, { cotangent: both });
  };
  const compiled = compile(f);
  const expected = f(gates, c).toArray();
  for (let call = 0; call < 3; call++) expect(compiled(gates, c).toArray()).toEqual(expected);
});
