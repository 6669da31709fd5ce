import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cosineDecay,
  exponentialDecay,
  linearWarmup,
  oneCycle,
  plateau,
  type Schedule,
  stepDecay,
} from "../../src/index.ts";

const makers = { stepDecay, exponentialDecay, cosineDecay, linearWarmup, oneCycle };
const pytorch = JSON.parse(
  readFileSync(new URL("../fixtures/pytorch.json", import.meta.url), "utf8"),
) as {
  schedules: { schedule: keyof typeof makers; options: never; rates: number[] }[];
  plateaus: { options: never; metrics: number[]; rates: number[] }[];
};

test.each(
  pytorch.schedules.map(
    (each) => [`${each.schedule} ${JSON.stringify(each.options)}`, each] as const,
  ),
)("%s follows PyTorch", (_label, { schedule, options, rates }) => {
  const rate: Schedule = makers[schedule](options);
  rates.forEach((expected, step) => {
    expect(rate(step)).toBeCloseTo(expected, 13);
  });
});

describe("ends", () => {
  const rates = fc.double({ min: 1e-6, max: 10, noNaN: true });
  const steps = fc.integer({ min: 2, max: 10_000 });

  test("cosineDecay starts at initial, is half way in the middle, stays at final, and falls in between", () => {
    fc.assert(
      fc.property(rates, rates, steps, fc.nat(), (a, b, half, at) => {
        const [final, initial] = a < b ? [a, b] : [b, a];
        const rate = cosineDecay({ initial, final, steps: 2 * half });
        expect(rate(0)).toBeCloseTo(initial, 12);
        expect(rate(half)).toBeCloseTo((initial + final) / 2, 12);
        expect(rate(2 * half)).toBe(final);
        expect(rate(1e9)).toBe(final);
        const step = at % (2 * half);
        expect(rate(step + 1)).toBeLessThanOrEqual(rate(step));
      }),
    );
  });

  test("linearWarmup rises in equal steps, by default without a rate of 0, and meets what follows", () => {
    fc.assert(
      fc.property(rates, steps, (peak, count) => {
        const rate = linearWarmup({
          steps: count,
          to: exponentialDecay({ initial: peak, factor: 0.5 }),
        });
        expect(rate(0)).toBeCloseTo(peak / (count + 1), 12);
        expect(rate(1) - rate(0)).toBeCloseTo(peak / (count + 1), 12);
        expect(rate(count - 1)).toBeLessThan(peak);
        expect(rate(count)).toBe(peak);
        expect(rate(count + 1)).toBe(peak / 2);
      }),
    );
  });

  test("oneCycle rises to its peak, falls to its end and stays there", () => {
    const rate = oneCycle({
      peak: 1,
      steps: 100,
      rising: 0.4,
      initialDivisor: 10,
      finalDivisor: 100,
    });
    const all = Array.from({ length: 100 }, (_, step) => rate(step));
    expect(all[0]).toBeCloseTo(0.1, 14);
    expect(all.indexOf(Math.max(...all))).toBe(39);
    expect(all[39]).toBeCloseTo(1, 14);
    expect(all[99]).toBeCloseTo(0.001, 14);
    expect(rate(5000)).toBe(rate(99));
  });

  test("stepDecay cuts at multiples, exponentialDecay multiplies over its stretch", () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 50 }), fc.nat(200), (initial, every, step) => {
        const cut = stepDecay({ initial, every, factor: 0.5 });
        expect(cut(step + every)).toBe(cut(step) / 2);
        expect(cut(Math.floor(step / every) * every)).toBe(cut(step));
        const smooth = exponentialDecay({ initial, every, factor: 0.5 });
        expect(smooth(step + every) / smooth(step)).toBeCloseTo(0.5, 12);
      }),
    );
  });
});

describe("plateau", () => {
  test.each(pytorch.plateaus.map((each) => [JSON.stringify(each.options), each] as const))(
    "%s follows PyTorch",
    (_label, { options, metrics, rates }) => {
      const rate = plateau(options);
      metrics.forEach((metric, i) => {
        rate.report(metric);
        expect(rate(i)).toBeCloseTo(rates[i]!, 13);
      });
    },
  );

  test("goes on from a saved state", () => {
    const options = { initial: 1, factor: 0.5, patience: 2, cooldown: 1 };
    const metrics = fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { maxLength: 20 });
    fc.assert(
      fc.property(metrics, metrics, (before, after) => {
        const one = plateau(options);
        before.forEach(one.report);
        const two = plateau(options);
        two.load(JSON.parse(JSON.stringify(one.state())));
        for (const metric of after) {
          one.report(metric);
          two.report(metric);
          expect(two(0)).toBe(one(0));
        }
      }),
    );
  });

  test("an infinite loss is no best one", () => {
    const rate = plateau({ initial: 1, patience: 0 });
    rate.report(Number.POSITIVE_INFINITY);
    expect(rate(0)).toBe(0.1);
    expect(rate.state().best).toBeNull();
  });
});

test("errors are sentences", () => {
  expect(() => stepDecay({ initial: -1, every: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: stepDecay: initial must be a finite number of at least 0, got -1]`,
  );
  expect(() => stepDecay({ initial: 1, every: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: stepDecay: every must be a whole number of at least 1, got 0]`,
  );
  expect(() => exponentialDecay({ initial: 1, factor: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: exponentialDecay: factor must be a finite number above 0, got 0]`,
  );
  expect(() => cosineDecay({ initial: 1, steps: 2.5 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: cosineDecay: steps must be a whole number of at least 1, got 2.5]`,
  );
  expect(() => linearWarmup({ steps: 3, to: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: linearWarmup: to must be a finite number of at least 0, got NaN]`,
  );
  expect(() => oneCycle({ peak: 1, steps: 10, rising: 0.1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: oneCycle: rising must be a share of the steps above 0.1 and below 1, got 0.1 of 10 steps]`,
  );
  expect(() => oneCycle({ peak: 1, steps: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: oneCycle: steps must be a whole number of at least 2, got 1]`,
  );
  expect(() => plateau({ initial: 1, factor: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: plateau: factor must be below 1, got 1]`,
  );
  expect(() => plateau({ initial: 1, mode: "low" as never })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: plateau: mode must be "min" or "max", got "low"]`,
  );
  expect(() => plateau({ initial: 1 }).report(Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: report: the metric must be a number, got NaN]`,
  );
});
