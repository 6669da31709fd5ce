import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { arange, compile, scope, Tape, type Tensor, tensor, zeros } from "../../src/index.ts";

describe("a tensor as text", () => {
  // The columns are those that NumPy prints for the same arrays, with trailing zeros in place of
  // blanks.
  test.each<[string, Tensor, string]>([
    ["a scalar", tensor(3), "tensor(3, float32 [])"],
    ["whole numbers", tensor([1, -20]), "tensor([  1, -20], float32 [2])"],
    ["int32", tensor(Int32Array.of(-100, 3)), "tensor([-100,    3], int32 [2])"],
    [
      "a matrix",
      tensor([
        [1, 0.5],
        [-0.25, 12],
      ]),
      "tensor([[ 1.00,  0.50],\n        [-0.25, 12.00]], float32 [2,2])",
    ],
    ["float32 without digits of float64", tensor([0.1, 0.3]), "tensor([0.1, 0.3], float32 [2])"],
    [
      "float64 to 8 decimals",
      tensor([2 / 3, 0.5], { dtype: "float64" }),
      "tensor([0.66666667, 0.50000000], float64 [2])",
    ],
    [
      "far magnitudes",
      tensor([1e-10, 1], { dtype: "float64" }),
      "tensor([1e-10,  1e+0], float64 [2])",
    ],
    [
      "no numbers",
      tensor([Number.NaN, -Infinity, -0]),
      "tensor([      NaN, -Infinity,        -0], float32 [3])",
    ],
    ["nothing", zeros([2, 0]), "tensor([[],\n        []], float32 [2,0])"],
    ["three axes", zeros([2, 1, 2]), "tensor([[[0, 0]],\n\n        [[0, 0]]], float32 [2,1,2])"],
    [
      "a large one",
      arange(0, 5000),
      "tensor([   0,    1,    2, ..., 4997, 4998, 4999], float32 [5000])",
    ],
  ])("%s", (_what, x, text) => {
    expect(String(x)).toBe(text);
    expect(`${x}`).toBe(text);
    expect(inspect(x)).toBe(text);
  });

  test("is short, however large the tensor is, and in lines of limited length", () => {
    const text = String(zeros([500, 500]));
    expect(text.split("\n")).toHaveLength(7);
    expect(text).toContain("..., 0, 0, 0],\n        ...,\n");
    for (const line of String(arange(0, 1000)).split("\n")) {
      expect(line.length).toBeLessThan(100);
    }
  });

  test("stands in a tree as Node prints it", () => {
    expect(inspect({ w: tensor([1]) })).toBe("{ w: tensor([1], float32 [1]) }");
  });

  test("says what became of a value that is gone, tracked, or recorded by compile, and does not throw", () => {
    let gone: Tensor | undefined;
    scope(() => {
      gone = tensor([1]);
    });
    expect(String(gone)).toMatch(/^Tensor float32 \[1\], gone: the scope it was made in has ended/);
    expect(inspect(gone)).toBe(String(gone));
    const y = new Tape().watch(tensor([1, 2])).mul(2);
    expect(String(y)).toBe("tensor([2, 4], float32 [2], on a tape)");
    const seen: string[] = [];
    compile((x: Tensor) => {
      seen.push(String(x));
      return x.mul(2);
    })(tensor([1]));
    expect(seen.slice(0, 1)).toEqual([
      "Tensor float32 [1], without values: its function is being recorded",
    ]);
  });

  test("an error names a tensor by dtype and shape alone", () => {
    const tape = new Tape();
    const w = tape.watch(tensor([1, 2, 3]));
    expect(() => tape.gradient(w.sum(), tensor([1, 2, 3]))).toThrow(
      "gradient: the tensor (Tensor float32 [3]) is not on this tape",
    );
  });
});
