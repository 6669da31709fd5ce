import { readFileSync } from "node:fs";
import { createBackend, flatten, leaves, Tape, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Clipped,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  type NormOrder,
} from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
  minLength: 1,
  maxLength: 8,
});
const vectors = numbers.map((values) => tensor(values, { dtype: "float64", backend }));
const trees = fc.record({
  W: vectors,
  layers: fc.array(fc.record({ b: vectors }), { maxLength: 3 }),
});
const orders = fc.constantFrom<NormOrder>(1, 2, Number.POSITIVE_INFINITY);
const limits = fc.double({ min: 1e-3, max: 1e6, noNaN: true });

const elements = (tree: unknown): number[] => leaves(tree).flatMap((x) => [...x.toTypedArray()]);

function norm(values: readonly number[], order: number): number {
  const magnitudes = values.map(Math.abs);
  if (order === 1) return magnitudes.reduce((sum, v) => sum + v, 0);
  return order === 2 ? Math.hypot(...magnitudes) : Math.max(...magnitudes);
}

describe("clipByGlobalNorm", () => {
  test("the norm is at most the limit after, was reported before, and the direction stays", () => {
    fc.assert(
      fc.property(trees, limits, orders, (tree, maxNorm, order) => {
        const before = elements(tree);
        const result = clipByGlobalNorm(tree, maxNorm, { order });
        const after = elements(result.gradients);
        const length = norm(before, order);
        expect(Math.abs(result.norm - length)).toBeLessThanOrEqual(1e-12 * length);
        expect(norm(after, order)).toBeLessThanOrEqual(maxNorm * (1 + 1e-12));
        expect(result.clipped).toBe(result.norm > maxNorm);
        const factor = result.clipped ? maxNorm / length : 1;
        after.forEach((v, i) => {
          expect(Math.abs(v - before[i]! * factor)).toBeLessThanOrEqual(
            1e-12 * Math.abs(v) + Number.MIN_VALUE,
          );
        });
        if (!result.clipped) expect(result.gradients).toBe(tree);
      }),
    );
  });

  const { clips } = JSON.parse(
    readFileSync(new URL("../fixtures/pytorch.json", import.meta.url), "utf8"),
  ) as {
    clips: {
      order: NormOrder | "Infinity";
      maxNorm: number;
      norm: number;
      before: Params;
      after: Params;
    }[];
  };
  interface Params {
    W: number[][];
    b: number[];
  }

  test.each(clips)(
    "PyTorch's clip_grad_norm_ of order $order to $maxNorm, but for its 1e-6",
    (each) => {
      const order = each.order === "Infinity" ? Number.POSITIVE_INFINITY : each.order;
      const gradients = {
        W: tensor(each.before.W, { dtype: "float64", backend }),
        b: tensor(each.before.b, { dtype: "float64", backend }),
      };
      const result = clipByGlobalNorm(gradients, each.maxNorm, { order });
      expect(result.norm / each.norm).toBeCloseTo(1, 14);
      // PyTorch scales by maxNorm / (norm + 1e-6).
      const ratio = result.clipped ? (each.norm + 1e-6) / each.norm : 1;
      const expected = [...each.after.W.flat(), ...each.after.b].map((v) => v * ratio);
      elements(result.gradients).forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i]!, 13);
      });
    },
  );

  test("squares that overflow or vanish do no harm", () => {
    const wide = tensor([3e200, -4e200], { dtype: "float64", backend });
    const result = clipByGlobalNorm({ wide }, 10);
    expect(result.norm / 5e200).toBeCloseTo(1, 14);
    expect(elements(result.gradients)).toEqual([6, -8].map((v) => expect.closeTo(v, 12)));
    const tiny = clipByGlobalNorm(tensor([3e-200, 4e-200], { dtype: "float64", backend }), 1e-200);
    expect(tiny.norm / 5e-200).toBeCloseTo(1, 14);
    expect(tiny.clipped).toBe(true);
    expect(clipByGlobalNorm(tensor([3e30, 4e30], { backend }), 1).norm / 5e30).toBeCloseTo(1, 6);
  });

  test("an infinite limit only measures", () => {
    const g = { w: tensor([3, 4], { backend }) };
    expect(clipByGlobalNorm(g, Number.POSITIVE_INFINITY)).toEqual(new Clipped(g, 5, false));
  });
});

test("clipPerParameter limits each norm on its own", () => {
  fc.assert(
    fc.property(trees, limits, orders, (tree, maxNorm, order) => {
      const result = clipPerParameter(tree, maxNorm, { order });
      const before = flatten(tree);
      flatten(result.gradients).forEach(([, after], i) => {
        const g = before[i]![1];
        const length = norm(elements(g), order);
        if (length <= maxNorm) expect(after).toBe(g);
        const factor = Math.min(1, maxNorm / length);
        elements(after).forEach((v, j) => {
          expect(Math.abs(v - elements(g)[j]! * factor)).toBeLessThanOrEqual(
            1e-12 * Math.abs(v) + Number.MIN_VALUE,
          );
        });
      });
      expect(result.clipped).toBe(before.some(([, g]) => norm(elements(g), order) > maxNorm));
      expect(Math.abs(result.norm - norm(elements(tree), order))).toBeLessThanOrEqual(
        1e-12 * result.norm,
      );
    }),
  );
});

test("clipByValue limits each element", () => {
  fc.assert(
    fc.property(trees, limits, (tree, limit) => {
      const before = elements(tree);
      const result = clipByValue(tree, limit);
      expect(elements(result.gradients)).toEqual(
        before.map((v) => Math.min(limit, Math.max(-limit, v))),
      );
      expect(result.clipped).toBe(before.some((v) => Math.abs(v) > limit));
    }),
  );
});

describe("gradients that are not finite", () => {
  const bad = () => ({
    fine: tensor([3], { backend }),
    W: tensor([Number.NaN, 4, Number.POSITIVE_INFINITY], { backend }),
    b: tensor([Number.NEGATIVE_INFINITY], { backend }),
  });
  const params = {
    fine: tensor([1], { backend }),
    W: tensor([1, 1, 1], { backend }),
    b: tensor([1], { backend }),
  };
  const calls = {
    clipByGlobalNorm: (g: ReturnType<typeof bad>, nonFinite?: "zero" | "pass") =>
      clipByGlobalNorm(g, 1, nonFinite && { nonFinite }),
    clipPerParameter: (g: ReturnType<typeof bad>, nonFinite?: "zero" | "pass") =>
      clipPerParameter(g, 3.5, nonFinite && { nonFinite }),
    clipByValue: (g: ReturnType<typeof bad>, nonFinite?: "zero" | "pass") =>
      clipByValue(g, 3.5, nonFinite && { nonFinite }),
    clipAdaptive: (g: ReturnType<typeof bad>, nonFinite?: "zero" | "pass") =>
      clipAdaptive(g, params, { clipping: 3.5, ...(nonFinite && { nonFinite }) }),
  };

  test.each(Object.entries(calls))("%s throws by default, naming the parameter", (name, call) => {
    expect(() => call(bad())).toThrow(
      `${name}: the gradient of "W" has 2 of 3 elements that are NaN or infinite, and so has 1 other; lower the learning rate, look for where they arise, or pass { nonFinite: "zero" } or { nonFinite: "pass" }`,
    );
  });

  test.each(Object.entries(calls))(
    "%s sets those elements to 0 when told, and clips the rest",
    (name, call) => {
      const { gradients, norm: length, clipped } = call(bad(), "zero");
      expect(length).toBe(5);
      expect(clipped).toBe(true);
      const global = name === "clipByGlobalNorm";
      expect(gradients.fine.item()).toBeCloseTo(global ? 0.6 : 3, 6);
      const largest = {
        clipByGlobalNorm: 0.8,
        clipPerParameter: 3.5,
        clipByValue: 3.5,
        clipAdaptive: 4,
      }[name]!;
      expect(elements(gradients.W)).toEqual([0, expect.closeTo(largest, 6), 0]);
      expect(gradients.b.item()).toBe(0);
    },
  );

  test.each(Object.entries(calls))(
    "%s passes such a gradient on as it is when told",
    (_name, call) => {
      const given = bad();
      const { gradients, norm: length } = call(given, "pass");
      expect(Number.isFinite(length)).toBe(false);
      expect(gradients.W).toBe(given.W);
      expect(gradients.b).toBe(given.b);
    },
  );
});

test("int32 tensors and what is no tensor are passed over", () => {
  const order = tensor([100, 200], { dtype: "int32", backend });
  const gradients = { w: tensor([3, 4], { backend }), order, note: "text" };
  const { gradients: after, norm: length } = clipByGlobalNorm(gradients, 1);
  expect(length).toBe(5);
  expect(after.order).toBe(order);
  expect(after.note).toBe("text");
});

test("gradients of gradients can be clipped: a recorded sweep stays on its tape", () => {
  const tape = new Tape();
  const w = tape.watch(tensor([3, 4], { dtype: "float64", backend }));
  const g = tape.gradient(w.square().sum().mul(0.5), w, { record: true });
  const { gradients } = clipByGlobalNorm({ g }, 1);
  // The factor 1 / 5 is a number, so the second derivative is that of w / 5.
  expect(tape.gradient(gradients.g.sum(), w).toArray()).toEqual([
    expect.closeTo(0.2, 14),
    expect.closeTo(0.2, 14),
  ]);
});

test("errors are sentences", () => {
  const g = { w: tensor([3, 4], { backend }) };
  expect(() => clipByGlobalNorm(g, 0)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: maxNorm must be a number above 0, got 0]`,
  );
  expect(() => clipByGlobalNorm(g, 1, { order: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: order must be 1, 2 or Infinity, got 3]`,
  );
  expect(() =>
    clipByGlobalNorm(g, 1, { nonFinite: "skip" as never }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: clipByGlobalNorm: nonFinite must be "throw", "zero" or "pass", got "skip"]`,
  );
  expect(() => clipByValue(g, Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByValue: limit must be a number above 0, got NaN]`,
  );
  expect(() => clipAdaptive(g, g, { clipping: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipAdaptive: clipping must be a number above 0, got 0]`,
  );
  expect(() => clipAdaptive(g, {})).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: clipAdaptive: the gradient at "w" is Tensor float32 [2] and the parameter there is missing; both trees must have the same structure and shapes]`,
  );
  expect(() => clipAdaptive(g, { w: tensor([1], { backend }) })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: clipAdaptive: the gradient at "w" is Tensor float32 [2] and the parameter there Tensor float32 [1]; both trees must have the same structure and shapes]`,
  );
  const lone = tensor([Number.NaN], { backend });
  expect(() => clipByGlobalNorm(lone, 1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: the gradient has 1 of 1 elements that are NaN or infinite; lower the learning rate, look for where they arise, or pass { nonFinite: "zero" } or { nonFinite: "pass" }]`,
  );
  const huge = tensor([1.5e308, 1.5e308], { dtype: "float64", backend });
  expect(() => clipByGlobalNorm(huge, 1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: the gradients are finite but their norm is not; divide the loss by a large number, or pass { nonFinite: "pass" }]`,
  );
});
