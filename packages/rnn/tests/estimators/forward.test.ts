import { detach, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { eprop, kfRtrl, snap, uoro } from "../../src/estimators.ts";
import { elman, gru, gruResetBefore, lstm, lstmPeephole, sequential } from "../../src/index.ts";
import { drawn, type PlainCell } from "../../src/testing/draw.ts";
import { maskedGradient } from "./definition.ts";
import {
  distanceOf,
  fullGradient,
  marked,
  type Problem,
  problemOf,
  rows,
  sumOfWindows,
  windowsOf,
} from "./setup.ts";

const sizes = { input: 2, hidden: 3 };

function problem(cell: object, options: Parameters<typeof problemOf>[2] = {}): Problem {
  const random = rng(11);
  return problemOf(cell as PlainCell, () => drawn([rows, 2], () => random.normal()), options);
}

const joined = (gradient: ReadonlyMap<string, Float64Array>) =>
  Float64Array.from([...gradient.values()].flatMap((values) => Array.from(values)));

/** The largest distance of two vectors, beside the largest element of the second. */
function apart(a: Float64Array, b: Float64Array): number {
  const scale = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / scale;
}

const models = {
  elman: elman(sizes),
  gru: gru(sizes),
  gruResetBefore: gruResetBefore(sizes),
  lstm: lstm(sizes),
  peephole: lstmPeephole(sizes),
  "two layers": sequential({ first: gru(sizes), second: lstm({ input: 3, hidden: 2 }) }),
};

describe.each(Object.entries(models))("snap of %s", (_, cell) => {
  test.each([1, 2, 3])("keeps what is reached in %i steps, and nothing else", (order) => {
    const given = problem(cell);
    const expected = maskedGradient(given, order);
    for (const compile of [false, true]) {
      const found = sumOfWindows(windowsOf(snap, given, { k1: 2, order, compile }));
      expect(apart(joined(found), expected)).toBeLessThan(1e-12);
    }
  });
  test("of a high order is full BPTT, with marks too", () => {
    const given = problem(cell, { marks: marked });
    const found = sumOfWindows(windowsOf(snap, given, { k1: 2, order: 9 }));
    expect(distanceOf(found, fullGradient(given))).toBeLessThan(1e-12);
  });
});

test("snap takes few elements and pullbacks where a cell has few", () => {
  const words = (cell: object) =>
    [...(windowsOf(snap, problem(cell), { k1: 9, order: 1 }) as Iterable<{ explain(): string }>)]
      .map((window) => window.explain().split(";")[0])
      .join();
  expect(words(models.elman)).toMatchInlineSnapshot(
    `"18 of 54 elements of S = dh/dtheta (those reached in 1 step), 1 pullback of a row"`,
  );
  expect(words(models.lstm)).toMatchInlineSnapshot(
    `"126 of 432 elements of S = dh/dtheta (those reached in 1 step), 2 pullbacks of a row"`,
  );
  expect(words(models.gruResetBefore)).toMatchInlineSnapshot(
    `"90 of 162 elements of S = dh/dtheta (those reached in 1 step), 3 pullbacks of a row"`,
  );
});

test("eprop of an LSTM is the gradient with the h of the step before held constant", () => {
  const cell = models.lstm;
  const given = problem(cell, { marks: marked });
  const cut = {
    ...cell,
    step: (params: never, x: Tensor, { h, c }: { h: Tensor; c: Tensor }) =>
      cell.step(params, x, { h: detach(h), c }),
  };
  const expected = fullGradient({ ...given, cell: cut as unknown as PlainCell });
  const found = sumOfWindows(windowsOf(eprop, given, { k1: 2, visible: ["h"] }));
  expect(distanceOf(found, expected)).toBeLessThan(1e-12);
  const whole = sumOfWindows(windowsOf(eprop, given, { k1: 2, visible: [] }));
  const order1 = sumOfWindows(windowsOf(snap, given, { k1: 2, order: 1 }));
  expect(distanceOf(whole, order1)).toBeLessThan(1e-12);
});

/** A generator of given signs. */
function signsOf(pattern: number): Rng {
  let at = 0;
  return { bits: () => ((pattern >> at++) & 1) * 2 ** 31 } as unknown as Rng;
}

describe.each([
  ["uoro", uoro, { steps: 4, signs: 3 * 2 }],
  ["kfRtrl", kfRtrl, { steps: 3, signs: 2 * 3 }],
] as const)("%s", (_, estimator, { steps, signs }) => {
  // All signs of one row, of all steps but the last, whose influence nothing reads.
  test("has the gradient of full BPTT as its mean over all random signs", () => {
    const all = problem(elman({ input: 2, hidden: 2 }), { steps });
    const given = { ...all, ...oneRow(all) };
    const expected = joined(fullGradient(given));
    const mean = new Float64Array(expected.length);
    for (let pattern = 0; pattern < 2 ** signs; pattern++) {
      const draws = signsOf(pattern);
      const found = joined(sumOfWindows(windowsOf(estimator, given, { k1: 3, draws })));
      for (const [i, value] of found.entries()) mean[i]! += value / 2 ** signs;
    }
    expect(apart(mean, expected)).toBeLessThan(1e-12);
  });
});

/** The first row of a problem. */
function oneRow({ state, stream }: Problem): Pick<Problem, "state" | "stream"> {
  const first = (x: Tensor) => (x.rank === 0 ? x : x.slice([[0, 1]]));
  return {
    state: { h: first((state as { h: Tensor }).h) },
    stream: stream.map((step) => ({ ...step, input: first(step.input as Tensor) })),
  };
}

test("estimators that draw give the same gradients step by step and compiled", () => {
  for (const estimator of [uoro, kfRtrl]) {
    for (const cell of [models.lstm, models["two layers"]]) {
      const given = problem(cell, { marks: marked });
      const run = (compile: boolean) =>
        sumOfWindows(windowsOf(estimator, given, { k1: 2, draws: rng(3), compile }));
      expect(distanceOf(run(true), run(false))).toBeLessThan(1e-12);
    }
  }
});

describe("noise of random signs ends with a reset, and none comes with a mask", () => {
  const bit = (value: number) => tensor(Int32Array.of(value));
  const cell = elman({ input: 2, hidden: 3 });
  /** Gradients of the windows from step 5 on, of one row. */
  function after(
    estimator: typeof uoro,
    scale: number,
    marks: Readonly<Record<number, object>>,
    draws: Rng,
  ): number[][] {
    const all = problem(cell, { steps: 7 });
    const { state, stream } = oneRow(all);
    const given = stream.map((step, i) => ({
      ...step,
      ...(i < 3 && { input: (step.input as Tensor).mul(scale) }),
      ...marks[i + 1],
    }));
    const windows = windowsOf(estimator, { ...all, state, stream: given }, { k1: 1, draws });
    const found = Array.from(windows, ({ gradients }) =>
      tree.leaves(gradients).flatMap((g) => [...g.toTypedArray()]),
    );
    return found.slice(4);
  }
  test.each([
    ["uoro", uoro],
    ["kfRtrl", kfRtrl],
  ] as const)("%s", (_, estimator) => {
    const reset = { 4: { reset: bit(1) } };
    const run = (scale: number) => after(estimator, scale, reset, rng(5));
    expect(run(1)).toEqual(run(-2));
    expect(after(estimator, 1, {}, rng(5))).not.toEqual(after(estimator, -2, {}, rng(5)));
    // The signs of the fourth step, which the row does not have, are others.
    const perStep = 3;
    const flipped = (at: number): Rng => {
      const plain = rng(6);
      let drawn = 0;
      return {
        bits: () => {
          const step = 1 + Math.floor(drawn++ / perStep);
          return step === at ? 2 ** 32 - 1 - plain.bits() : plain.bits();
        },
      } as unknown as Rng;
    };
    const mask = { 4: { mask: bit(0) } };
    expect(after(estimator, 1, mask, flipped(4))).toEqual(after(estimator, 1, mask, flipped(0)));
    expect(after(estimator, 1, {}, flipped(4))).not.toEqual(after(estimator, 1, {}, flipped(0)));
  });
});
