import { readFileSync } from "node:fs";
import {
  compile,
  createBackend,
  type FloatDType,
  type NestedNumbers,
  Tape,
  type Tensor,
  tensor,
} from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { describe, expect, test } from "vitest";
import * as nn from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });
const float64 = { dtype: "float64", backend } as const;
const all = {
  crossEntropyLoss: nn.crossEntropyLoss,
  meanSquaredError: nn.meanSquaredError,
  huber: nn.huber,
  binaryCrossEntropyFromLogits: nn.binaryCrossEntropyFromLogits,
  gaussianNegativeLogLikelihood: nn.gaussianNegativeLogLikelihood,
};
const reductions = ["none", "sum", "mean"] as const;

interface Case {
  loss: keyof typeof all;
  inputs: NestedNumbers[];
  options: object;
  none: Result;
  sum: Result;
  mean: Result;
}
interface Result {
  value: NestedNumbers;
  gradients: NestedNumbers[];
}

const { losses } = JSON.parse(
  readFileSync(new URL("../fixtures/pytorch.json", import.meta.url), "utf8"),
) as {
  losses: Case[];
};

const flat = (x: NestedNumbers): number[] => (typeof x === "number" ? [x] : x.flatMap(flat));

function expectClose(actual: Tensor, expected: NestedNumbers): void {
  const wanted = flat(expected);
  const found = [...actual.toTypedArray()];
  expect(found).toHaveLength(wanted.length);
  found.forEach((v, i) => {
    expect(Math.abs(v - wanted[i]!)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(wanted[i]!)));
  });
}

describe("PyTorch", () => {
  test.each(
    losses.map((each, i) => [`${each.loss} ${i} ${JSON.stringify(each.options)}`, each] as const),
  )(
    "%s has the same values and gradients, however reduced",
    (_label, { loss, inputs, options, ...results }) => {
      const classes = loss === "crossEntropyLoss";
      for (const reduction of reductions) {
        const tape = new Tape();
        const tensors = inputs.map((x, i) =>
          classes && i === 1 ? tensor(x, { dtype: "int32", backend }) : tensor(x, float64),
        );
        const watched = tape.watch(tensors);
        const call = all[loss] as (...args: unknown[]) => Tensor;
        const value = call(...watched, { ...options, reduction });
        const { value: expected, gradients } = results[reduction];
        expectClose(value, expected);
        const floats = watched.filter(({ dtype }) => dtype !== "int32");
        tape.gradient(value.sum(), floats).forEach((g, i) => {
          expectClose(g, gradients[i]!);
        });
      }
    },
  );
});

test("the mean is the default", () => {
  const x = tensor([1, 2], { backend });
  const y = tensor([0, 0], { backend });
  expect(nn.meanSquaredError(x, y).item()).toBe(2.5);
  expect(nn.huber(x, y).item()).toBe(nn.huber(x, y, { reduction: "mean" }).item());
  expect(nn.gaussianNegativeLogLikelihood(x, 2, y).shape).toEqual([]);
});

test("cross entropy where every target is ignored is 0, and so is its gradient", () => {
  const tape = new Tape();
  const logits = tape.watch(tensor([[1, 2]], { backend }));
  const loss = nn.crossEntropyLoss(logits, [-100]);
  expect(loss.item()).toBe(0);
  expect(tape.gradient(loss, logits).toArray()).toEqual([[0, 0]]);
});

test("the mean of cross entropy over parts adds up to the whole by the numbers of targets that count", () => {
  const logits = tensor(
    [
      [1, 2, 0],
      [0, 3, 1],
      [2, 2, 1],
      [0, 0, 4],
    ],
    float64,
  );
  const targets = [1, -100, 2, 0];
  const part = (from: number, to: number) =>
    nn.crossEntropyLoss(logits.slice([[from, to]]), targets.slice(from, to)).item();
  const whole = nn.crossEntropyLoss(logits, targets).item();
  expect((part(0, 2) * 1 + part(2, 4) * 2) / 3).toBeCloseTo(whole, 14);
});

test("a number as variance is that number everywhere", () => {
  const mean = tensor([0.5, -1], float64);
  const y = tensor([0, 3], float64);
  for (const variance of [0, 0.7]) {
    const everywhere = tensor([variance, variance], float64);
    const one = nn.gaussianNegativeLogLikelihood(mean, variance, y, { full: true }).item();
    const two = nn.gaussianNegativeLogLikelihood(mean, everywhere, y, { full: true }).item();
    expect(one / two).toBeCloseTo(1, 14);
  }
});

test("no loss is finite by luck: extreme logits give extreme but finite losses in float32", () => {
  const x = tensor([-1e4, 1e4], { backend });
  const values = nn.binaryCrossEntropyFromLogits(x, tensor([1, 0], { backend }), {
    reduction: "none",
  });
  expect(values.toArray()).toEqual([1e4, 1e4]);
});

test("errors are sentences", () => {
  const x = tensor([1, 2], { backend });
  const y = tensor([[1, 2]], { backend });
  expect(() => nn.meanSquaredError(x, y)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: meanSquaredError: predictions and targets must have one shape, got [2] and [1,2]; reshape or broadcastTo one of them]`,
  );
  expect(() => nn.huber(x, x, { delta: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: huber: delta must be a positive number, got 0; use meanSquaredError for no limit]`,
  );
  expect(() => nn.binaryCrossEntropyFromLogits(x, y)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: binaryCrossEntropyFromLogits: logits and targets must have one shape, got [2] and [1,2]; reshape or broadcastTo one of them]`,
  );
  expect(() => nn.gaussianNegativeLogLikelihood(x, 1, y)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: gaussianNegativeLogLikelihood: mean and targets must have one shape, got [2] and [1,2]; reshape or broadcastTo one of them]`,
  );
  expect(() => nn.gaussianNegativeLogLikelihood(x, y, x)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: gaussianNegativeLogLikelihood: variance [1,2] does not broadcast to the mean's shape [2]]`,
  );
  expect(() => nn.gaussianNegativeLogLikelihood(x, x.neg(), x)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: gaussianNegativeLogLikelihood: a variance is -2, expected at least 0; make variances with exp or softplus]`,
  );
  expect(() =>
    nn.gaussianNegativeLogLikelihood(x, 1, x, { epsilon: 0 }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: gaussianNegativeLogLikelihood: epsilon must be a positive number, got 0]`,
  );
  expect(() =>
    nn.meanSquaredError(x, x, { reduction: "max" as never }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: meanSquaredError: reduction must be "mean", "sum" or "none", got "max"]`,
  );
});

describe("crossEntropyLoss of a tensor of targets", () => {
  const shapes = [[1], [7], [2, 3]] as const;
  const dtypes = ["float32", "float64"] as const satisfies readonly FloatDType[];
  const drawn = (shape: readonly number[], dtype: FloatDType, seed: number) => {
    const random = nn.rng(seed);
    const rows = shape.reduce((a, b) => a * b, 1);
    const logits = Float64Array.from({ length: 4 * rows }, () => 3 * random.normal());
    const classes = Int32Array.from({ length: rows }, () =>
      random.uniform() < 0.4 ? -100 : Math.floor(4 * random.uniform()),
    );
    return {
      logits: tensor(logits, { shape: [...shape, 4], dtype }),
      targets: tensor(classes, { shape }),
      count: classes.filter((target) => target !== -100).length,
    };
  };

  test.each(dtypes)("%s: the mean is the sum by 1 over the count, to the bit", (dtype) => {
    for (const shape of shapes) {
      for (let seed = 0; seed < 20; seed++) {
        const { logits, targets, count } = drawn(shape, dtype, seed);
        const sum = nn.crossEntropyLoss(logits, targets, { reduction: "sum" });
        const expected = sum.mul(1 / Math.max(1, count)).item();
        expect(nn.crossEntropyLoss(logits, targets).item()).toBe(expected);
      }
    }
  });

  test("is compiled once for targets of which others are ignored", () => {
    const step = (logits: Tensor, targets: Tensor) => {
      const tape = new Tape();
      const watched = tape.watch(logits);
      const loss = nn.crossEntropyLoss(watched, targets);
      return { loss: tape.strip(loss), gradient: tape.gradient(loss, watched) };
    };
    const compiled = compile(step);
    for (let seed = 0; seed < 20; seed++) {
      const { logits, targets } = drawn([7], "float64", seed);
      const [found, expected] = [compiled(logits, targets), step(logits, targets)];
      expect(found.loss.item()).toBe(expected.loss.item());
      expect(found.gradient.toArray()).toEqual(expected.gradient.toArray());
    }
  });
});
