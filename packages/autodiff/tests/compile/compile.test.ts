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

describe("the sign of zero", () => {
  test("is kept apart in numbers: loops of other numbers are other loops", () => {
    scope(() => {
      const numbers = [Infinity, -Infinity, Number.NaN, 0, -0, 1];
      const f = (x: Tensor) => numbers.flatMap((c) => [x.abs().mul(c), x.abs().add(c)]);
      const x = f64([0, -0, 1, -2]);
      for (const g of [f, ...numbers.map((c) => (y: Tensor) => [y.abs().mul(c).neg()])]) {
        const [found, expected] = [compile(g)(x), g(x)].map((list) =>
          list.map((y) => y.toTypedArray()),
        );
        expect(found).toEqual(expected);
      }
    });
  });

  test("of arguments: 0 and -0 are two plans", () => {
    scope(() => {
      const reciprocal = compile((x: Tensor, c: number) => x.mul(c).reciprocal());
      const x = f64([1, 2]);
      expect([0, -0, 0].map((c) => reciprocal(x, c).toArray())).toEqual([
        [Infinity, Infinity],
        [-Infinity, -Infinity],
        [Infinity, Infinity],
      ]);
    });
  });

  test("of a cotangent that arrives in parts is that of a sum: 0 + -0 is 0", () => {
    scope(() => {
      const f = (x: Tensor, scale: Tensor) =>
        grad((y: Tensor) => {
          const [a, b, c] = y.split(3, -1);
          return a!.mul(scale).sum().add(b!.tanh().sum()).add(c!.mul(scale).sum());
        })(x);
      const x = f64([[1, 2, 3, 4, 5, 6]]);
      const scale = f64([[-0, 0]]);
      const [found, expected] = [compile(f)(x, scale), f(x, scale)].map((y) => y.toTypedArray());
      expect(found).toEqual(expected);
    });
  });
});

describe("plans of one function", () => {
  test("are as many as are kept, however many numbers it is called with", () => {
    const backend = createBackend();
    const x = tensor([1, 2], { backend });
    const scaled = compile((y: Tensor, rate: number) => y.mul(rate).tanh());
    const at = (rates: readonly number[]) => {
      for (const rate of rates) {
        scope(() => expect(scaled(x, rate).toArray()).toEqual(x.mul(rate).tanh().toArray()));
      }
      return backend.memory.bytesInUse;
    };
    // The backend keeps the first 256 constants.
    const rates = (n: number) => Array.from({ length: n }, (_, i) => (i + 1) / 64);
    at(rates(400));
    const before = at(rates(100));
    expect(at(rates(400))).toBe(before);
    expect(scaled.explain().split("\n")).toHaveLength(33);
    expect(scaled.explain().split("\n").at(-1)).toMatchInlineSnapshot(
      `"868 more plans gave way to these, the 32 used last; numbers among the arguments are part of a plan: pass what changes as a tensor"`,
    );
  });

  test("are told apart by structure, however names look", () => {
    scope(() => {
      const keys = compile((nested: Record<string, unknown>, x: Tensor) =>
        x.mul(Object.keys(nested).length),
      );
      const x = f64([1]);
      expect(keys({ a: { b: 1 }, c: 2 }, x).item()).toBe(2);
      expect(keys({ "a.b": 1, c: 2 }, x).item()).toBe(2);
      expect(keys({ "a.b 1, 0.c": 2 }, x).item()).toBe(1);
    });
  });
});

describe("a function that is not pure", () => {
  const x = () => f64([1, 2, 3]);

  test("is refused soon after what it takes from outside has changed", () => {
    scope(() => {
      let rate = 1;
      let mask = f64([1, 1, 1]);
      let zero = 0;
      const cases: [string, (y: Tensor) => Tensor, () => void][] = [
        ["a number", (y) => y.mul(rate), () => (rate = 2)],
        ["a constant", (y) => y.mul(mask), () => (mask = f64([1, 1, 0]))],
        ["the sign of 0", (y) => y.mul(zero), () => (zero = -0)],
        ["a result", (y) => (rate > 2 ? y.neg() : y), () => (rate = 3)],
      ];
      const said = cases.map(([, f, change]) => {
        const fast = compile(f);
        const y = x();
        // As many calls as there are between two checks of so small a function, and more.
        for (let call = 0; call < 200_000; call++) {
          if (call === 300) change();
          try {
            scope(() => fast(y));
          } catch (error) {
            return (error as Error).message;
          }
        }
        return "nothing";
      });
      expect(said).toMatchInlineSnapshot(`
        [
          "compile: the function is not what was recorded, since it takes something from outside that has changed: float64.scale took the number 1 and now 2; pass what changes as an argument (a tensor, so that it needs no plan of its own), or call the function itself",
          "compile: the function is not what was recorded, since it takes something from outside that has changed: float64.mul reads a tensor from outside that has other values; pass what changes as an argument (a tensor, so that it needs no plan of its own), or call the function itself",
          "compile: the function is not what was recorded, since it takes something from outside that has changed: float64.scale took the number 0 and now -0; pass what changes as an argument (a tensor, so that it needs no plan of its own), or call the function itself",
          "compile: the function is not what was recorded, since it takes something from outside that has changed: it goes on with float64.neg; pass what changes as an argument (a tensor, so that it needs no plan of its own), or call the function itself",
        ]
      `);
    });
  });

  test("in what it draws is not compiled", () => {
    scope(() => {
      let seed = 0;
      const drops = compile((y: Tensor) => y.mul(f64([1, 1, Math.sin(seed++)])));
      const [first, second] = [drops(x()).toArray(), drops(x()).toArray()];
      expect(first).not.toEqual(second);
      expect(drops.explain()).toMatch(/not compiled, because it does not do the same twice/);
    });
  });
});

describe("arguments and closures of a compiled function", () => {
  test("that are gone are refused, planned or not", () => {
    const add = compile((x: Tensor, y: Tensor) => x.add(y));
    const gone = (() => {
      let kept!: Tensor;
      scope(() => {
        kept = tensor([5]).exp();
      });
      return kept;
    })();
    expect(() => add(gone, tensor([1]))).toThrow(/the argument at "0" is gone/);
    for (let call = 0; call < 4; call++) add(tensor([1]), tensor([1]));
    expect(() => add(tensor([1]), gone)).toThrowErrorMatchingInlineSnapshot(
      `[Error: compile: the argument at "1" is gone: the scope it was made in has ended; return it from the scope to keep it]`,
    );
  });

  test("a value that a tape tracks keeps its derivative", () => {
    scope(() => {
      let w = f64([1, 1]);
      const weighted = compile((x: Tensor) => x.mul(w).sum());
      const constant = compile(() => w.square().sum());
      const x = f64([3, 4]);
      const f = (z: Tensor) => {
        w = z;
        return weighted(x).add(constant());
      };
      expect(grad(f)(f64([1, 2])).toArray()).toEqual([5, 8]);
      expect(weighted.explain()).toMatch(/not compiled, because it takes a value from outside/);
    });
  });

  test("after a refusal the next call records anew", () => {
    scope(() => {
      let k = f64([2]);
      const scaled = compile((x: Tensor) => x.mul(k));
      const found: (number | string)[] = [];
      for (let call = 0; call < 9; call++) {
        if (call === 3) k = f64([5]);
        try {
          found.push(scaled(f64([1])).item());
        } catch {
          found.push("refused");
        }
      }
      expect(found.slice(0, 3)).toEqual([2, 2, 2]);
      const at = found.indexOf("refused");
      expect(at).toBeGreaterThan(2);
      expect(found.slice(at + 1)).toEqual(found.slice(at + 1).map(() => 5));
    });
  });

  test("are told apart by the kind of their trees, by lengths and by identity", () => {
    scope(() => {
      const two = compile((xs: Tensor[] | Record<string, Tensor>) => {
        const [a, b] = [(xs as Tensor[])[0]!, (xs as Tensor[])[1]!];
        return Array.isArray(xs) ? a.add(b) : a.sub(b);
      });
      const length = compile((x: Tensor, list: unknown[]) => x.mul(list.length));
      const same = compile((a: Tensor, b: Tensor) => (a === b ? a.square() : a.mul(b).add(100)));
      const [x, y] = [f64([3]), f64([4])];
      for (let call = 0; call < 3; call++) {
        expect(two([x, y]).item()).toBe(7);
        expect(two({ 0: x, 1: y }).item()).toBe(-1);
        expect(length(x, []).item()).toBe(0);
        // biome-ignore lint/suspicious/noSparseArray: an array with holes is what is told apart
        expect(length(x, [, ,]).item()).toBe(6);
        expect(same(x, y).item()).toBe(112);
        expect(same(x, x).item()).toBe(9);
      }
    });
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
