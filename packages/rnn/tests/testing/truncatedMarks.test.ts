import { detach, Tape, type Tensor, tensor, tree, where, zeros } from "@chronograd/autodiff";
import { init, type Rng, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineCell, initialState, type Noise, type TimeStep } from "../../src/index.ts";
import { marks } from "../../src/testing/fast-check.ts";
import { cellTable, checkTruncated, type WindowsFunction } from "../../src/testing.ts";
import { loss, model, stepsOf } from "./planted.ts";

const only = { stale: "carry", losses: "new", reduction: "sum" } as const;
const bits = (...values: number[]): Tensor => tensor(Int32Array.from(values));

/** Steps of two rows with resets, gaps, and a step without any row; padding is finite. */
const steps: TimeStep[] = stepsOf(9).map((step, i) => ({
  ...step,
  reset: bits(Number(i === 4), Number(i % 3 === 2)),
  mask: bits(Number(i !== 5 && i !== 2), Number(i !== 3 && i !== 5)),
}));

describe("streams with marks are right in every mode", () => {
  const rows = cellTable().filter(({ isVector }) => isVector);
  test.each(rows.map((row) => [row.name, row] as const))("%s", (_name, { make, input }) => {
    const given = steps.map(({ target, ...step }, t) => {
      return { ...step, target, input: input(rng(t), 2) };
    });
    for (const compile of [false, true]) {
      const report = checkTruncated(make(), given, { k1: 2, k2: 4, burnIn: 1, loss, compile });
      report.assert();
    }
  });

  test("for any marks, k1, k2 and burn-in, with NaN in the padding", () => {
    const cases = fc.record({
      table: marks({ length: 7, batch: 2 }),
      k1: fc.integer({ min: 1, max: 4 }),
      more: fc.nat(4),
      burnIn: fc.nat(3),
      seed: fc.nat(999),
    });
    fc.assert(
      fc.property(cases, ({ table, k1, more, burnIn, seed }) => {
        const poisoned = stepsOf(7, seed).map(({ input, target }, t) => {
          const mask = table.mask.slice([t]);
          const isThere = mask.reshape([2, 1]);
          return {
            input: where(isThere, input, Number.NaN),
            target: where(isThere, target, Number.POSITIVE_INFINITY),
            mask,
            reset: table.resets.slice([t]),
          };
        });
        checkTruncated(model, poisoned, { k1, k2: k1 + more, burnIn, loss, seed, throws: true });
      }),
      { numRuns: 8 },
    );
  });

  test("a learned initial state, and noise", () => {
    const cell = defineCell({
      params: () => ({ w: init.normal(1, 2, 3), start: init.normal(1, 3) }),
      state: () => ({ h: init.zeros(3) }),
      noise: (): { keep: Noise; scale: Noise } => ({
        keep: { shape: [3], per: "window", rows: true, draw: draws },
        scale: { shape: [], per: "step", rows: false, draw: (r) => Float64Array.of(r.normal()) },
      }),
      initial: ({ start }, batch) => ({ h: start.broadcastTo([batch, 3]) }),
      step: ({ w }, x: Tensor, { h }, _sizes, noise) => {
        const mixed = x.matmul(w).add(h).tanh();
        const next = noise === undefined ? mixed : mixed.mul(noise.keep).add(noise.scale);
        return [next, { h: next }];
      },
    })({ input: 2, hidden: 3 });
    for (const random of [rng(3, "noise"), null]) {
      for (const burnIn of [0, 2]) {
        for (const compile of [false, true]) {
          const options = { k1: 2, k2: 3, burnIn, compile, loss, rng: random };
          checkTruncated(cell, steps, options).assert();
        }
      }
    }
  });
});

const draws = (random: Rng): Float64Array =>
  Float64Array.from({ length: 3 }, () => random.normal());

/** Full back-propagation step by step as someone might write it, with a mistake. */
interface Bug {
  reset?(mark: Tensor, fresh: Tensor, h: Tensor): Tensor;
  mask?(mark: Tensor, next: Tensor, h: Tensor): Tensor;
  loss?(mark: Tensor, each: Tensor): Tensor;
  readonly marksAt?: (t: number) => number;
  readonly divide?: number;
  readonly burns?: boolean;
}

function planted(
  bug: Bug,
): WindowsFunction<typeof model.params, typeof model.state, Tensor, Tensor, Tensor> {
  return function* (cell, params, given, { state, burnIn = 0 }) {
    const tape = new Tape();
    const watched = tape.watch(params()) as ReturnType<typeof params>;
    let h = state!.h;
    const losses: Tensor[] = [];
    for (const [i, { input, target }] of given.entries()) {
      const other = given[Math.max(0, (bug.marksAt ?? ((t) => t))(i))]!;
      const reset = other.reset!.reshape([2, 1]);
      const mask = other.mask!.reshape([2, 1]);
      const fresh = initialState(cell, 2, { dtype: "float64" }).h;
      h = bug.reset?.(reset, fresh, h) ?? where(reset, fresh, h);
      const weights = i < burnIn && bug.burns !== true ? params() : watched;
      const [y, next] = cell.step(weights, input, { h });
      h = bug.mask?.(mask, next.h, h) ?? where(mask, next.h, h);
      const each = y.sub(target).square();
      if (i >= burnIn) losses.push((bug.loss?.(mask, each) ?? where(mask, each, 0)).sum());
    }
    const g = tape.gradient(losses, watched);
    yield { gradients: tree.map(g, (x: Tensor) => x.mul(1 / (bug.divide ?? 1))) as typeof g };
  };
}

const float = (x: Tensor): Tensor => x.cast("float64");
const all = steps.length;

describe("a planted mistake is found and named", () => {
  const check = (bug: Bug, more: object = {}, given: readonly TimeStep[] = steps) =>
    checkTruncated(model, given, {
      ...{ ...only, k1: all, k2: all, loss, windows: planted(bug) },
      ...more,
    });
  const kindOf = (...args: Parameters<typeof check>) => {
    const report = check(...args);
    expect(report.ok).toBe(false);
    return report.modes[0]!.failures[0]!.kind;
  };

  test("without one it is right", () => {
    check({}).assert();
    check({}, { burnIn: 2, k1: 7, k2: 7 }).assert();
  });

  test.each<[string, Bug, object?]>([
    [
      "reset keeps the gradient",
      { reset: (mark, fresh, h) => where(mark, h.add(detach(fresh.sub(h))), h) },
    ],
    ["resets ignored", { reset: (_mark, _fresh, h) => h }],
    ["state times mask", { mask: (mark, next) => next.mul(float(mark)) }],
    ["masked state goes on", { mask: (_mark, next) => next }],
    ["masked losses", { loss: (_mark, each) => each }],
    ["burn-in with gradient", { burns: true }, { burnIn: 2, k1: 7, k2: 7 }],
    ["mean over padding", { divide: 3 * 2 * all }, { reduction: "mean" }],
  ])("%s", (kind, bug, more) => {
    expect(kindOf(bug, more)).toBe(kind);
  });

  test("a mask or a reset one step late", () => {
    const late = (name: "mask" | "reset") => {
      const none = name === "mask" ? bits(1, 1) : bits(0, 0);
      const shifted = steps.map((step, i) => ({ ...step, [name]: steps[i - 1]?.[name] ?? none }));
      const windows: ReturnType<typeof planted> = (cell, params, _, options) =>
        planted({})(cell, params, shifted, options);
      return checkTruncated(model, steps, { ...only, k1: all, k2: all, loss, windows }).modes[0]!
        .failures[0]!.kind;
    };
    expect([late("mask"), late("reset")]).toEqual(["mask late", "reset late"]);
  });

  test("multiplying instead of selecting, with NaN in the padding", () => {
    const poisoned = steps.map((step) => ({
      ...step,
      input: where(step.mask!.reshape([2, 1]), step.input, Number.NaN),
    }));
    const report = check({ loss: (mark, each) => each.mul(float(mark)) }, {}, poisoned);
    expect(report.modes[0]!.failures[0]!.diagnosis).toMatchInlineSnapshot(
      `"the gradient is not finite, and that of the rows that have a step is: what stands in the padding reaches it; 0 times NaN is NaN, so select rows with where(mask, x, y) in place of multiplying by a mask, and before an op whose derivative is not finite there"`,
    );
  });

  test("a learned initial state held constant", () => {
    const learned = defineCell({
      params: () => ({ w: init.normal(1, 2, 2), start: init.normal(1, 2) }),
      state: () => ({ h: init.zeros(2) }),
      initial: ({ start }, batch) => ({ h: start.broadcastTo([batch, 2]) }),
      step: ({ w }, x: Tensor, { h }) => {
        const next = x.add(h.matmul(w)).tanh();
        return [next, { h: next }];
      },
    })({ input: 2, hidden: 2 });
    const given = stepsOf(4).map(({ input }) => ({ input, target: zeros([2, 2]) }));
    const report = checkTruncated(learned, given, {
      ...{ ...only, k1: 4, k2: 4, loss },
      *windows(cell, params, stream) {
        const tape = new Tape();
        const { w, start } = params();
        const watched = tape.watch({ w, start });
        let h: Tensor = detach(start).broadcastTo([2, 2]);
        const losses = stream.map(({ input, target }) => {
          const [y, next] = cell.step(watched, input, { h });
          h = next.h;
          return y.sub(target).square().sum();
        });
        yield { gradients: tape.gradient(losses, watched) };
      },
    });
    expect(report.modes[0]!.failures[0]!.kind).toBe("initial state constant");
  });
});

test("what cannot be meant throws a sentence", () => {
  const check =
    (options: object, given: readonly object[] = steps) =>
    () =>
      checkTruncated(model, given as TimeStep[], { k1: 2, k2: 3, loss, ...options } as never);
  expect(check({ burnin: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: checkTruncated: there is no option "burnin", did you mean "burnIn"? It takes k1, k2, loss, state, burnIn, rng, name, params, stale, losses, multiplicity, reduction, steps, tolerance, seed, compile, throws, windows]`,
  );
  expect(check({ burnIn: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: truncated: burnIn must be a whole number of steps of at least 0, got -1]`,
  );
  expect(check({ burnIn: 9, steps: 9 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: checkTruncated: the stream has 9 steps, and burnIn is 9; a stream needs at least one step after the burn-in]`,
  );
  const [first] = steps;
  expect(check({}, [{ ...first, mask: bits(1) }])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: checkTruncated: the mask of step 1 must be int32 [2] of 0 and 1, got [1]; give one for each row]`,
  );
  expect(check({}, [{ ...first, reset: bits(2, 0) }])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: checkTruncated: the reset of step 1 must be 0 or 1 everywhere, got 2]`,
  );
  expect(check({ rng: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: truncated: rng must be a generator, as rng(1) gives, or null, got number]`,
  );
});
