import { type Tensor, tensor } from "@chronograd/autodiff";
import { partsOf, whyDependent } from "@chronograd/autodiff/internal";
import { expect, test } from "vitest";

/** A trial whose shards have a sum that is `error` larger than it would be without rounding. */
function reasonFor(dtype: "float32" | "float64", error: number): string | undefined {
  const inputs = tensor([[1], [2], [3], [4]], { dtype });
  const run = (x: Tensor) => {
    const sum = x.sum().item();
    return { rows: x, sums: x.shape[0] === 4 ? sum : sum * (1 + error) };
  };
  const parts = (x: Tensor) => partsOf(x, 4, 2);
  return whyDependent({ inputs, rows: 4, shards: 2, axis: 0, parts, run, forward: (x) => x });
}

test("numbers may differ by the rounding of the dtype that they were computed in", () => {
  expect(reasonFor("float32", 2 ** -22)).toBeUndefined();
  expect(reasonFor("float64", 2 ** -50)).toBeUndefined();
  expect(reasonFor("float32", 2 ** -10)).toContain("some of the rows give something else");
  expect(reasonFor("float64", 2 ** -22)).toContain("some of the rows give something else");
});
