import { compile, grad, jvp, Tape, type Tensor, tensor, where, zeros } from "@chronograd/autodiff";
import { checkGradients } from "@chronograd/autodiff/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CtcOptions, type CtcTargets, ctcLoss, rng } from "../../src/index.ts";

/** What a path spells: repeats become one, then blanks go. */
function spelt(path: readonly number[], blank: number): string {
  return path.filter((k, t) => k !== blank && k !== path[t - 1]).join();
}

/** `-log p(target)` and its gradient by the logits of one row, path by path. */
function enumerated(logits: readonly number[][], target: readonly number[], blank: number) {
  const K = logits[0]!.length;
  const p = logits.map((frame) => {
    const sum = frame.reduce((all, x) => all + Math.exp(x), 0);
    return frame.map((x) => Math.exp(x) / sum);
  });
  let total = 0;
  const at = logits.map(() => new Array<number>(K).fill(0));
  for (let i = 0; i < K ** logits.length; i++) {
    const path = logits.map((_, t) => Math.floor(i / K ** t) % K);
    if (spelt(path, blank) !== target.join()) continue;
    const weight = path.reduce((product, k, t) => product * p[t]![k]!, 1);
    total += weight;
    for (const [t, k] of path.entries()) at[t]![k]! += weight;
  }
  const slopes = p.map((frame, t) => frame.map((pk, k) => pk - at[t]![k]! / total));
  return { loss: -Math.log(total), slopes };
}

const drawn = (seed: number, shape: readonly [number, number, number], scale = 2) => {
  const random = rng(seed);
  const size = shape[0] * shape[1] * shape[2];
  return tensor(
    Float64Array.from({ length: size }, () => scale * random.normal()),
    { shape },
  );
};
const column = (x: Tensor, row: number) => x.slice([null, row]).toArray() as number[][];

const lossAndGradient = (x: Tensor, targets: CtcTargets, options: CtcOptions = {}) => {
  const tape = new Tape();
  const watched = tape.watch(x);
  const losses = ctcLoss(watched, targets, { reduction: "none", ...options });
  return { losses: losses.toArray() as number[], gradient: tape.gradient(losses.sum(), watched) };
};

test("values and gradients are those of all paths, one by one", () => {
  const rows = fc
    .record({
      seed: fc.integer({ min: 0, max: 1e6 }),
      steps: fc.integer({ min: 1, max: 5 }),
      classes: fc.integer({ min: 2, max: 3 }),
      blank: fc.integer({ min: 0, max: 1 }),
    })
    .chain((sizes) => {
      const label = fc.constantFrom(
        ...[0, 1, 2].filter((k) => k < sizes.classes && k !== sizes.blank),
      );
      const row = fc.record({
        target: fc.array(label, { maxLength: 3 }),
        length: fc.integer({ min: 1, max: sizes.steps }),
      });
      return fc.record({
        sizes: fc.constant(sizes),
        rows: fc.array(row, { minLength: 1, maxLength: 3 }),
      });
    });
  fc.assert(
    fc.property(rows, ({ sizes: { seed, steps, classes, blank }, rows }) => {
      const x = drawn(seed, [steps, rows.length, classes]);
      const { losses, gradient } = lossAndGradient(
        x,
        rows.map(({ target }) => target),
        { blank, lengths: rows.map(({ length }) => length), impossible: "infinity" },
      );
      for (const [row, { target, length }] of rows.entries()) {
        const { loss, slopes } = enumerated(column(x, row).slice(0, length), target, blank);
        if (loss === Number.POSITIVE_INFINITY) {
          expect(losses[row]).toBe(loss);
          expect(
            column(gradient, row)
              .flat()
              .every((g) => g === 0),
          ).toBe(true);
          continue;
        }
        expect(Math.abs(losses[row]! - loss)).toBeLessThan(1e-12 * Math.max(1, loss));
        const found = column(gradient, row);
        for (let t = 0; t < steps; t++) {
          for (let k = 0; k < classes; k++) {
            const expected = t < length ? slopes[t]![k]! : 0;
            expect(Math.abs(found[t]![k]! - expected)).toBeLessThan(1e-12);
          }
        }
      }
    }),
    { numRuns: 150 },
  );
});

describe("rows", () => {
  const targets = [[1, 2], [2], [], [1, 1]];
  const lengths = [6, 2, 3, 4];
  const x = drawn(5, [6, 4, 3]);
  const mask = tensor(
    Int32Array.from({ length: 24 }, (_, i) => Number(Math.floor(i / 4) < lengths[i % 4]!)),
    { shape: [6, 4, 1] },
  );

  test("are what they are alone, and nothing reads padding, to the bit", () => {
    const batch = lossAndGradient(x, targets, { lengths });
    const spoilt = lossAndGradient(where(mask, x, Number.NaN), targets, { lengths });
    expect(spoilt.losses).toEqual(batch.losses);
    expect(spoilt.gradient.toArray()).toEqual(batch.gradient.toArray());
    for (const [row, target] of targets.entries()) {
      const own = x.slice([
        [0, lengths[row]!],
        [row, row + 1],
      ]);
      const alone = lossAndGradient(own, [target]);
      expect(alone.losses[0]).toBe(batch.losses[row]);
      const there = column(batch.gradient, row);
      expect(column(alone.gradient, 0)).toEqual(there.slice(0, lengths[row]));
      expect(
        there
          .slice(lengths[row])
          .flat()
          .every((g) => g === 0),
      ).toBe(true);
    }
  });

  test("with NaN are NaN, and no other", () => {
    const bad = where(tensor([[[0], [1], [0], [0]]], { dtype: "int32" }), Number.NaN, x);
    const { losses, gradient } = lossAndGradient(bad, targets, { lengths });
    const fine = lossAndGradient(x, targets, { lengths });
    expect(losses.map(Number.isNaN)).toEqual([false, true, false, false]);
    expect(column(gradient, 1).slice(0, 2).flat().every(Number.isNaN)).toBe(true);
    expect(column(gradient, 3)).toEqual(column(fine.gradient, 3));
  });

  test("lengths may be a tensor, and targets typed arrays", () => {
    const typed = lossAndGradient(
      x,
      targets.map((each) => Int32Array.from(each)),
      {
        lengths: tensor(lengths, { dtype: "int32" }),
      },
    );
    expect(typed.losses).toEqual(lossAndGradient(x, targets, { lengths }).losses);
  });
});

test("derivatives of one order, both ways; that of the cotangent; no second one", () => {
  const x = drawn(7, [5, 2, 3]);
  const f = (logits: Tensor) => ctcLoss(logits, [[1], [2, 2]], { lengths: [5, 4] });
  expect(checkGradients(f, x).ok).toBe(true);
  const dx = drawn(8, [5, 2, 3]);
  const [, tangent] = jvp(f, x, dx);
  expect(tangent.item()).toBeCloseTo(grad(f)(x).mul(dx).sum().item(), 12);
  // d<grad(w loss), dx>/dw = <grad(loss), dx>: the gradient is linear in the cotangent.
  const byWeight = grad((w: Tensor) =>
    grad((z: Tensor) => f(z).mul(w))(x)
      .mul(dx)
      .sum(),
  );
  expect(byWeight(tensor(3, { dtype: "float64" })).item()).toBeCloseTo(tangent.item(), 12);
  const twice = () => grad((z: Tensor) => grad(f)(z).square().sum())(x);
  expect(twice).toThrow(/ctcLoss: its gradient has no derivative by the logits/);
});

test("is right at logits of any size, in float32 too", () => {
  const x = drawn(9, [6, 1, 3], 300);
  const { losses, gradient } = lossAndGradient(x, [[1, 2]]);
  const single = lossAndGradient(x.cast("float32"), [[1, 2]]);
  expect(single.losses[0]! / losses[0]!).toBeCloseTo(1, 6);
  expect(single.gradient.dtype).toBe("float32");
  expect(single.gradient.cast("float64").sub(gradient).abs().max().item()).toBeLessThan(1e-4);
  // The softmax, and so the loss, is that of shifted logits.
  expect(lossAndGradient(x.add(1e6), [[1, 2]]).losses[0]).toBeCloseTo(losses[0]!, 6);
  const tiny = lossAndGradient(x.mul(1e-300), [[1, 2]]);
  // By hand: of 3^6 paths, those that spell 1 2.
  const even = enumerated(column(zeros([6, 1, 3]), 0), [1, 2], 0);
  expect(tiny.losses[0]).toBeCloseTo(even.loss, 12);
});

test("a batch without rows, rows without steps", () => {
  expect(ctcLoss(zeros([3, 0, 2]), [], { reduction: "sum" }).item()).toBe(0);
  const { losses } = lossAndGradient(zeros([0, 2, 2]), [[], [1]], { impossible: "infinity" });
  expect(losses).toEqual([0, Number.POSITIVE_INFINITY]);
  const { losses: none, gradient } = lossAndGradient(zeros([2, 1, 2]), [[]], { lengths: [0] });
  expect([none, gradient.sum().item()]).toEqual([[0], 0]);
});

test("reductions: the mean is over the rows", () => {
  const x = drawn(10, [4, 2, 3]);
  const [a, b] = lossAndGradient(x, [[1], [2, 1]]).losses;
  expect(ctcLoss(x, [[1], [2, 1]]).item()).toBeCloseTo((a! + b!) / 2, 12);
  expect(ctcLoss(x, [[1], [2, 1]], { reduction: "sum" }).item()).toBeCloseTo(a! + b!, 12);
});

test("an impossible target has a loss that is named, and no gradient", () => {
  const x = drawn(11, [2, 2, 3]);
  for (const [impossible, loss] of [
    ["zero", 0],
    ["infinity", Number.POSITIVE_INFINITY],
  ] as const) {
    const { losses, gradient } = lossAndGradient(x, [[1], [2, 2]], { impossible });
    expect(losses[1]).toBe(loss);
    expect(column(gradient, 1)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(losses[0]).toBe(lossAndGradient(x.slice([null, [0, 1]]), [[1]]).losses[0]);
  }
  const never = tensor([[[0, Number.NEGATIVE_INFINITY]]], { dtype: "float64" });
  const masked = lossAndGradient(never, [[1]], { impossible: "infinity" });
  expect(masked.losses).toEqual([Number.POSITIVE_INFINITY]);
  expect(masked.gradient.toArray()).toEqual([[[0, 0]]]);
  expect(() => ctcLoss(never, [[1]])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: target 0 has probability 0, because logits are -Infinity; leave it out, or take impossible: "zero" or "infinity"]`,
  );
});

test("in a compiled function it runs as it is", () => {
  const f = compile((x: Tensor) => ctcLoss(x, [[1]]));
  const x = drawn(12, [3, 1, 2]);
  expect(f(x).item()).toBe(ctcLoss(x, [[1]]).item());
  expect(f(x.mul(2)).item()).toBe(ctcLoss(x.mul(2), [[1]]).item());
});

test("errors are sentences", () => {
  const x = zeros([3, 2, 3]);
  const of =
    (targets: unknown, options: object = {}, logits: unknown = x) =>
    () =>
      ctcLoss(logits as Tensor, targets as CtcTargets, options);
  expect(
    of([
      [1, 1],
      [2, 2, 1],
    ]),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: target 1 needs at least 4 steps, one for each label and one between equal labels, and the row has 3; leave it out, or take impossible: "zero" or "infinity"]`,
  );
  expect(of([[1], [1]], {}, zeros([3, 2]))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: ctcLoss: logits must be a tensor of floats [T, B, K] of T steps, B rows and K classes, got float32 [3,2]]`,
  );
  expect(of([[1], [1]], {}, [1])).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: ctcLoss: logits must be a tensor of floats [T, B, K] of T steps, B rows and K classes, got [1]]`,
  );
  expect(of([[1], [1]], {}, x.cast("int32"))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: ctcLoss: logits must be a tensor of floats [T, B, K] of T steps, B rows and K classes, got int32 [3,2,3]]`,
  );
  expect(of([[1]])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: targets must be 2 lists of labels, one for each row, got 1 lists]`,
  );
  expect(of([1, 2])).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: ctcLoss: target 0 must be a list of labels, got 1; it may be empty]`,
  );
  expect(of([[1], [3]])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: label 0 of target 1 must be a whole number from 0 to 2, got 3]`,
  );
  expect(of([[1], [0.5]])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: label 0 of target 1 must be a whole number from 0 to 2, got 0.5]`,
  );
  expect(of([[1], [1, 0]])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: label 1 of target 1 is the blank 0; leave blanks out of targets, or name another class as blank]`,
  );
  expect(of([[1], [1]], { blank: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: blank must be a whole number from 0 to 2, got 3]`,
  );
  expect(of([[1], [1]], { lengths: [3] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: lengths must be 2 numbers, one for each row, got 1]`,
  );
  expect(of([[1], [1]], { lengths: [3, 4] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: length 1 must be a whole number from 0 to 3, got 4]`,
  );
  expect(of([[1], [1]], { lengths: [3, Number.NaN] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: ctcLoss: length 1 must be a whole number from 0 to 3, got NaN]`,
  );
  expect(of([[1], [1]], { impossible: true })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: ctcLoss: impossible must be "throw", "zero" or "infinity", got true]`,
  );
  expect(of([[1], [1]], { reduction: "all" })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: ctcLoss: reduction must be "mean", "sum" or "none", got "all"]`,
  );
  expect(of([[1], [1]], { lenghts: [3, 3] })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: ctcLoss: there is no option "lenghts", did you mean "lengths"? It takes lengths, blank, impossible, reduction]`,
  );
});
