import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import { bits, classes, type Kind, numbers } from "../kinds.ts";

/** The loss of one step of a sequence with this many answers, added up over the rows. */
function lossOf(kind: Kind, answers: number, output: Tensor, values: number[], weights: number[]) {
  const rows = output.shape[0]!;
  const sizes = { answers, targets: values.length / rows };
  const target = {
    value: kind.target(Float32Array.from(values), rows),
    weight: tensor(Float32Array.from(weights)),
  };
  const { loss } = kind.loss(sizes)(output, target) as { readonly loss: Tensor };
  return loss.sum().item();
}

test("a step's loss is its share of the mean over rows, answers and targets", () => {
  scope(() => {
    const y = tensor([
      [1, 2],
      [3, 4],
    ]);
    // ((1 - 0)^2 + (2 - 0)^2) / (2 rows, 5 answers, 2 targets); the other row has no loss.
    expect(lossOf(numbers, 5, y, [0, 0, 9, 9], [1, 0])).toBeCloseTo(5 / 20, 6);
    const logits = tensor([[0], [0]]);
    expect(lossOf(bits, 1, logits, [0, 1], [1, 1])).toBeCloseTo(Math.LN2, 6);
    const three = tensor([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(lossOf(classes, 4, three, [2, 0], [1, 1])).toBeCloseTo(Math.log(3) / 4, 6);
  });
});

test("figures are means over what counts", () => {
  const of = (...values: number[]) => Float32Array.from(values);
  expect(numbers.judge([1, 5, 2], of(0, 0, 4), of(1, 0, 1))).toBe(2.5);
  expect(bits.judge([1, -1, 2, -3], of(1, 1, 0, 0), of(1, 1))).toBe(0.5);
  expect(bits.judge([1, -1, 2, -3], of(1, 1, 1, 0), of(0, 1))).toBe(1);
  // -log of 3/4 and of 1/4.
  const ln3 = Math.log(3);
  expect(classes.judge([0, ln3, 0, ln3], of(1, 0), of(1, 1))).toBeCloseTo(
    (Math.log(4 / 3) + Math.log(4)) / 2,
    12,
  );
});
