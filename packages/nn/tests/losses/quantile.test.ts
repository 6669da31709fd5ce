import { createBackend, grad, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { checkGradients } from "@chronograd/autodiff/testing";
import { describe, expect, test } from "vitest";
import { quantileLoss, rng } from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });
const float64 = { dtype: "float64", backend } as const;

/** The definition of Koenker & Bassett: `e (q - [e < 0])`. */
const pinball = (prediction: number, target: number, q: number): number =>
  (target - prediction) * (q - (target < prediction ? 1 : 0));

describe("quantileLoss", () => {
  test("is the definition, element by element, however reduced", () => {
    const random = rng(1);
    const draw = (n: number) => Array.from({ length: n }, () => 3 * random.normal());
    const quantiles = [0.1, 0.5, 0.975];
    const [p, y] = [draw(2 * 4 * 3), draw(2 * 4)];
    const expected = p.map((value, i) => pinball(value, y[Math.floor(i / 3)]!, quantiles[i % 3]!));
    const predictions = tensor(Float64Array.from(p), { shape: [2, 4, 3], backend });
    const targets = tensor(Float64Array.from(y), { shape: [2, 4], backend });
    const losses = quantileLoss(predictions, targets, quantiles, { reduction: "none" });
    expect(losses.shape).toEqual([2, 4, 3]);
    [...losses.toTypedArray()].forEach((loss, i) => {
      expect(loss).toBeCloseTo(expected[i]!, 12);
    });
    const sum = expected.reduce((a, b) => a + b);
    const reduced = (reduction: "sum" | "mean") =>
      quantileLoss(predictions, targets, quantiles, { reduction }).item();
    expect(reduced("sum")).toBeCloseTo(sum, 11);
    expect(reduced("mean")).toBeCloseTo(sum / 24, 12);
  });

  test("at the median is half of the absolute error", () => {
    const x = tensor([[1], [-2], [4]], float64);
    const y = tensor([0, 0, 4], float64);
    const losses = quantileLoss(x, y, [0.5], { reduction: "none" });
    expect(losses.toArray()).toEqual([[0.5], [1], [0]]);
  });

  test("has the gradients of finite differences, by predictions and by targets", () => {
    const loss = ({ x, y }: { x: Tensor; y: Tensor }) => quantileLoss(x, y, [0.2, 0.9]);
    const x = tensor(
      [
        [0.3, -1.2],
        [2.5, 0.7],
      ],
      float64,
    );
    const at = { x, y: tensor([1.1, 0.4], float64) };
    expect(checkGradients(loss, at).ok).toBe(true);
    expect(checkGradients((p) => grad(loss)(p).x.square().sum(), at).ok).toBe(true);
  });

  test("has the gradient 0 where the target is met", () => {
    const y = tensor([2], float64);
    const slope = grad((x: Tensor) => quantileLoss(x, y, [0.3]));
    expect(Math.abs(slope(tensor([[2]], float64)).item())).toBe(0);
  });

  test("is least at the empirical quantile: q of the targets are below", () => {
    const random = rng(2);
    const values = Array.from({ length: 99 }, () => random.normal() ** 3);
    const sorted = [...values].sort((a, b) => a - b);
    for (const q of [0.1, 0.25, 0.5, 0.8, 0.975]) {
      // Of n targets the minimiser is the one of rank ceil(q n), alone where q n is no whole
      // number.
      const total = (x: number) =>
        quantileLoss(
          tensor(
            values.map(() => [x]),
            float64,
          ),
          tensor(values, float64),
          [q],
        ).item();
      const best = sorted[Math.ceil(q * 99) - 1]!;
      for (const other of sorted) expect(total(best)).toBeLessThanOrEqual(total(other));
      expect(total(best)).toBeLessThan(Math.min(total(best - 1e-3), total(best + 1e-3)));
    }
  });

  test("neither overflows nor hides a number that is none", () => {
    const of = (x: number, y: number) =>
      quantileLoss(tensor([[x]], { backend }), tensor([y], { backend }), [0.25]).item();
    expect(of(0, 2 ** 120)).toBe(2 ** 118);
    expect(of(2 ** -140, 0)).toBe(0.75 * 2 ** -140);
    expect(of(Number.NaN, 1)).toBeNaN();
    expect(of(1, Number.NaN)).toBeNaN();
  });

  test("refuses in a sentence", () => {
    const x = tensor([[1, 2]], float64);
    const y = tensor([1], float64);
    expect(() => quantileLoss(x, y, [0.5])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: quantileLoss: targets [1] and 1 quantiles need predictions [1,1], got [1,2]; the last axis is that of the quantiles]`,
    );
    expect(() => quantileLoss(x, x, [0.1, 0.9])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: quantileLoss: targets [1,2] and 2 quantiles need predictions [1,2,2], got [1,2]; the last axis is that of the quantiles]`,
    );
    expect(() => quantileLoss(x, y, [0.1, 90])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: quantileLoss: a quantile must be a number between 0 and 1, got 90; the middle is 0.5]`,
    );
    expect(() => quantileLoss(x, y, [])).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: quantileLoss: quantiles must be an array of numbers, got []; one is [0.5]]`,
    );
    expect(() => quantileLoss(x, y, 0.5 as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: quantileLoss: quantiles must be an array of numbers, got 0.5; one is [0.5]]`,
    );
    expect(() => quantileLoss(x, y, [0.1, Number.NaN])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: quantileLoss: a quantile must be a number between 0 and 1, got NaN; the middle is 0.5]`,
    );
    expect(() =>
      quantileLoss(x, y, [0.1, 0.9], { reductions: "sum" } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: quantileLoss: there is no option "reductions", did you mean "reduction"? It takes reduction]`,
    );
    expect(() =>
      quantileLoss(x, y, [0.1, 0.9], { reduction: "max" as never }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: quantileLoss: reduction must be "mean", "sum" or "none", got "max"]`,
    );
  });
});
