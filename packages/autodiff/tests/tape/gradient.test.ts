import { describe, expect, test } from "vitest";
import { createBackend, scope, Tape, type Tensor, tensor } from "../../src/index.ts";

const f64 = (x: number | number[]) => tensor(x, { dtype: "float64" });

describe("targets", () => {
  test("a list may hold constants beside what is on the tape", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      expect(tape.gradient([f64(7), x.square().sum()], x).toArray()).toEqual([2, 4]);
    });
  });

  test("of another tape are constants, also where this one has forgotten as many entries", () => {
    scope(() => {
      const [tape, other] = [new Tape(), new Tape()];
      const x = tape.watch(f64(3));
      x.exp();
      tape.forget(tape.mark());
      const z = other.watch(f64(1)).exp();
      expect(tape.gradient([z, x.square()], x).item()).toBe(6);
    });
  });

  test("of an empty list every gradient is zero", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      expect(tape.gradient([], x).toArray()).toEqual([0, 0]);
      expect([...tape.gradientIfReached([], x).keys()]).toEqual([]);
    });
  });

  test("a scalar is anything of one element, a leaf too, before and after forgetting", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(tensor([[3]], { dtype: "float64" }));
      x.exp();
      tape.forget(tape.mark());
      expect(tape.gradient(x, x).toArray()).toEqual([[1]]);
      expect(tape.gradient(x.square(), x).toArray()).toEqual([[6]]);
    });
  });

  test("what is no tensor is refused", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64(1));
      expect(() => tape.gradient(5 as unknown as Tensor, x)).toThrowErrorMatchingInlineSnapshot(
        `[TypeError: gradient: target must be a tensor, got 5]`,
      );
    });
  });

  test("a value that an outer tape sees through an inner one is found beneath it", () => {
    scope(() => {
      const [outer, inner] = [new Tape(), new Tape()];
      const x = outer.watch(f64(3));
      const y = inner.watch(x.square()).mul(2);
      expect(outer.gradient(y, x).item()).toBe(12);
      expect(() => inner.gradient(x.square(), inner.watch(x))).toThrow(
        /was not recorded on this tape/,
      );
    });
  });
});

describe("where nothing leads, the gradient is zero", () => {
  test("of the shape, dtype and backend of what it is by", () => {
    const backend = createBackend();
    scope(() => {
      const tape = new Tape();
      const tree = tape.watch({
        used: tensor([1], { backend }),
        single: tensor([1, 2], { backend }),
        double: tensor([[1], [2]], { backend, dtype: "float64" }),
        whole: tensor(Int32Array.of(1, 2, 3), { backend }),
      });
      const g = tape.gradient(tree.used.square(), tree);
      const described = Object.values(g).map((x) => [x.dtype, x.shape, x.backend === backend]);
      expect(described).toEqual([
        ["float32", [1], true],
        ["float32", [2], true],
        ["float64", [2, 1], true],
        ["int32", [3], true],
      ]);
      expect(g.whole.toArray()).toEqual([0, 0, 0]);
      // The cotangent of 1 that a scalar starts with is on its backend, too.
      expect(g.used.toArray()).toEqual([2]);
    });
  });
});

describe("cotangents", () => {
  test("one for each target, in their order", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const targets = [x.mul(2), x.square().sum()];
      const cotangent = [f64([1, 10]), f64(100)];
      expect(tape.gradient(targets, x, { cotangent }).toArray()).toEqual([202, 420]);
      expect(() =>
        tape.gradient(targets, x, { cotangent: f64([1, 1]) }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[RangeError: gradient: expected one cotangent per target, got 1 for 2]`,
      );
    });
  });

  test("on another backend, or gone, are refused", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const far = tensor([1, 1], { dtype: "float64", backend: createBackend() });
      expect(() =>
        tape.gradient(x.neg(), x, { cotangent: far }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[TypeError: gradient: cotangent and target must be on one backend]`,
      );
      let gone: Tensor | undefined;
      scope(() => {
        gone = f64([1, 1]);
      });
      expect(() => tape.gradient(x.neg(), x, { cotangent: gone! })).toThrow(
        "gradient: cotangent: Tensor float64 [2] is gone: the scope",
      );
    });
  });
});

test("a tensor of the tree that is on no tape is named by its path, where it has one", () => {
  scope(() => {
    const tape = new Tape();
    const x = tape.watch(f64(1));
    const y = x.exp();
    expect(() => tape.gradient(y, f64(1))).toThrow(
      "gradient: the tensor (Tensor float64 []) is not on this tape; pass what",
    );
    expect(() => tape.gradient(y, { a: [f64(1)] })).toThrow(
      `gradient: "a.0" (Tensor float64 []) is not on this tape; pass what`,
    );
    expect(() => tape.gradient(y, 5)).toThrow(
      "gradient: expected tensors in plain objects and arrays, got 5",
    );
  });
});
