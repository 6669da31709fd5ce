// Which calls share a plan, and when a plan is no longer the function.
import { describe, expect, test } from "vitest";
import { compile, createBackend, grad, scope, type Tensor, tensor } from "../../src/index.ts";

const f64 = (x: number | number[] | number[][]) => tensor(x, { dtype: "float64" });

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
