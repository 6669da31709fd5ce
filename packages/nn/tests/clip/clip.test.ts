import { readFileSync } from "node:fs";
import { createBackend, Tape, tensor, tree } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ClipState,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  type GradientTransformation,
  type NonFiniteOption,
  type NormOrder,
} from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });

/** Gradients after clipping, and the norm before. */
function clipped<G>(link: GradientTransformation<ClipState>, g: G, params: unknown = g) {
  const [gradients, state] = link.update(g, link.init(params), params);
  return { gradients: gradients as G, norm: state.norm.item() };
}

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

const elements = (nested: unknown): number[] =>
  tree.leaves(nested).flatMap((x) => [...x.toTypedArray()]);

function norm(values: readonly number[], order: number): number {
  const magnitudes = values.map(Math.abs);
  if (order === 1) return magnitudes.reduce((sum, v) => sum + v, 0);
  return order === 2 ? Math.hypot(...magnitudes) : Math.max(...magnitudes);
}

describe("clipByGlobalNorm", () => {
  test("the norm is at most the limit after, was reported before, and the direction stays", () => {
    fc.assert(
      fc.property(trees, limits, orders, (nested, maxNorm, order) => {
        const before = elements(nested);
        const result = clipped(clipByGlobalNorm(maxNorm, { order }), nested);
        const after = elements(result.gradients);
        const length = norm(before, order);
        expect(Math.abs(result.norm - length)).toBeLessThanOrEqual(1e-12 * length);
        expect(norm(after, order)).toBeLessThanOrEqual(maxNorm * (1 + 1e-12));
        const factor = result.norm > maxNorm ? maxNorm / length : 1;
        after.forEach((v, i) => {
          expect(Math.abs(v - before[i]! * factor)).toBeLessThanOrEqual(
            1e-12 * Math.abs(v) + Number.MIN_VALUE,
          );
        });
        if (result.norm <= maxNorm)
          expect(tree.leaves(result.gradients)).toEqual(tree.leaves(nested));
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
      const result = clipped(clipByGlobalNorm(each.maxNorm, { order }), gradients);
      expect(result.norm / each.norm).toBeCloseTo(1, 14);
      // PyTorch scales by maxNorm / (norm + 1e-6).
      const ratio = result.norm > each.maxNorm ? (each.norm + 1e-6) / each.norm : 1;
      const expected = [...each.after.W.flat(), ...each.after.b].map((v) => v * ratio);
      elements(result.gradients).forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i]!, 13);
      });
    },
  );

  test("squares that overflow or vanish do no harm", () => {
    const wide = tensor([3e200, -4e200], { dtype: "float64", backend });
    const result = clipped(clipByGlobalNorm(10), { wide });
    expect(result.norm / 5e200).toBeCloseTo(1, 14);
    expect(elements(result.gradients)).toEqual([6, -8].map((v) => expect.closeTo(v, 12)));
    const tiny = clipped(
      clipByGlobalNorm(1e-200),
      tensor([3e-200, 4e-200], { dtype: "float64", backend }),
    );
    expect(tiny.norm / 5e-200).toBeCloseTo(1, 14);
    expect(tiny.gradients.toArray<number[]>()[0]! / 6e-201).toBeCloseTo(1, 14);
    expect(clipped(clipByGlobalNorm(1), tensor([3e30, 4e30], { backend })).norm / 5e30).toBeCloseTo(
      1,
      6,
    );
  });

  test("an infinite limit only measures", () => {
    const g = { w: tensor([3, 4], { backend }) };
    const { gradients, norm } = clipped(clipByGlobalNorm(Number.POSITIVE_INFINITY), g);
    expect([gradients.w, norm]).toEqual([g.w, 5]);
  });
});

test("clipPerParameter limits each norm on its own", () => {
  fc.assert(
    fc.property(trees, limits, orders, (nested, maxNorm, order) => {
      const result = clipped(clipPerParameter(maxNorm, { order }), nested);
      const before = tree.leavesWithPath(nested);
      tree.leavesWithPath(result.gradients).forEach(([, after], i) => {
        const g = before[i]![1];
        const length = norm(elements(g), order);
        const factor = Math.min(1, maxNorm / length);
        elements(after).forEach((v, j) => {
          expect(Math.abs(v - elements(g)[j]! * factor)).toBeLessThanOrEqual(
            1e-12 * Math.abs(v) + Number.MIN_VALUE,
          );
        });
      });
      expect(Math.abs(result.norm - norm(elements(nested), order))).toBeLessThanOrEqual(
        1e-12 * result.norm,
      );
    }),
  );
});

test("clipByValue limits each element", () => {
  fc.assert(
    fc.property(trees, limits, (nested, limit) => {
      const before = elements(nested);
      const result = clipped(clipByValue(limit), nested);
      expect(elements(result.gradients)).toEqual(
        before.map((v) => Math.min(limit, Math.max(-limit, v))),
      );
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
  const makers = {
    clipByGlobalNorm: (options: NonFiniteOption) => clipByGlobalNorm(1, options),
    clipPerParameter: (options: NonFiniteOption) => clipPerParameter(3.5, options),
    clipByValue: (options: NonFiniteOption) => clipByValue(3.5, options),
    clipAdaptive: (options: NonFiniteOption) => clipAdaptive({ clipping: 3.5, ...options }),
  };
  const calls = Object.fromEntries(
    Object.entries(makers).map(([name, make]) => [
      name,
      (g: ReturnType<typeof bad>, nonFinite?: "zero" | "pass") =>
        clipped(make(nonFinite === undefined ? {} : { nonFinite }), g, params),
    ]),
  );

  test.each(Object.entries(calls))("%s throws by default, naming the parameter", (name, call) => {
    expect(() => call(bad())).toThrow(
      `${name}: the gradient of "W" has 2 of 3 elements that are NaN or infinite, and so has 1 other; lower the learning rate, look for where they arise, or pass { nonFinite: "zero" } or { nonFinite: "pass" }`,
    );
  });

  test.each(Object.entries(calls))(
    "%s sets those elements to 0 when told, and clips the rest",
    (name, call) => {
      const { gradients, norm: length } = call(bad(), "zero");
      expect(length).toBe(5);
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
      expect(gradients.W.toArray()).toEqual(given.W.toArray());
      expect(gradients.b.toArray()).toEqual(given.b.toArray());
    },
  );
});

test("int32 tensors and what is no tensor are passed over", () => {
  const order = tensor([100, 200], { dtype: "int32", backend });
  const gradients = { w: tensor([3, 4], { backend }), order, note: "text" };
  const { gradients: after, norm: length } = clipped(clipByGlobalNorm(1), gradients);
  expect(length).toBe(5);
  expect(after.order).toBe(order);
  expect(after.note).toBe("text");
});

test("clipping of what a tape tracks has a derivative: that of w / |w|", () => {
  const tape = new Tape();
  const w = tape.watch(tensor([3, 4], { dtype: "float64", backend }));
  const g = tape.gradient(w.square().sum().mul(0.5), w, { record: true });
  const { gradients } = clipped(clipByGlobalNorm(1), { g });
  // d/dw of sum(w) / |w| = 1 / |w| - sum(w) w / |w|^3.
  expect(tape.gradient(gradients.g.sum(), w).toArray()).toEqual([
    expect.closeTo(1 / 5 - (7 * 3) / 125, 14),
    expect.closeTo(1 / 5 - (7 * 4) / 125, 14),
  ]);
  const zero = tape.watch(tensor([0, 0], { dtype: "float64", backend }));
  const still = clipped(clipByGlobalNorm(1), { g: zero.mul(2) });
  expect(tape.gradient(still.gradients.g.sum(), zero).toArray()).toEqual([2, 2]);
});

test("errors are sentences", () => {
  const g = { w: tensor([3, 4], { backend }) };
  expect(() => clipByGlobalNorm(1, { norm: 2 } as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: clipByGlobalNorm: there is no option "norm". It takes order, nonFinite]`,
  );
  expect(() => clipByGlobalNorm(g as never)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: maxNorm must be a number above 0, got [object Object]]`,
  );
  expect(() => clipByGlobalNorm(0)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: maxNorm must be a number above 0, got 0]`,
  );
  expect(() => clipByGlobalNorm(1, { order: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: order must be 1, 2 or Infinity, got 3]`,
  );
  expect(() =>
    clipByGlobalNorm(1, { nonFinite: "skip" as never }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: clipByGlobalNorm: nonFinite must be "throw", "zero" or "pass", got "skip"]`,
  );
  expect(() => clipByValue(Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByValue: limit must be a number above 0, got NaN]`,
  );
  expect(() => clipAdaptive({ clipping: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipAdaptive: clipping must be a number above 0, got 0]`,
  );
  expect(() => clipped(clipAdaptive(), g, {})).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: clipAdaptive: the gradient at "w" is Tensor float32 [2] and the parameter there is missing; both trees must have the same structure and shapes]`,
  );
  expect(() =>
    clipped(clipAdaptive(), g, { w: tensor([1], { backend }) }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: clipAdaptive: the gradient at "w" is Tensor float32 [2] and the parameter there Tensor float32 [1]; both trees must have the same structure and shapes]`,
  );
  const lone = tensor([Number.NaN], { backend });
  expect(() => clipped(clipByGlobalNorm(1), lone)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: the gradient has 1 of 1 elements that are NaN or infinite; lower the learning rate, look for where they arise, or pass { nonFinite: "zero" } or { nonFinite: "pass" }]`,
  );
  const huge = tensor([1.5e308, 1.5e308], { dtype: "float64", backend });
  expect(() => clipped(clipByGlobalNorm(1), huge)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: clipByGlobalNorm: the gradients are finite but their norm is not; divide the loss by a large number, or pass { nonFinite: "pass" }]`,
  );
});
