import { readFileSync } from "node:fs";
import { compile, type Tensor, tensor } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  applyUpdates,
  chain,
  cosineDecay,
  exponentialDecay,
  linearWarmup,
  oneCycle,
  plateau,
  type Schedule,
  sgd,
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

test.each(
  pytorch.schedules.map(
    (each) => [`${each.schedule} ${JSON.stringify(each.options)}`, each] as const,
  ),
)("%s gives a scalar for a scalar, by the bits of the number", (_label, each) => {
  const rate: Schedule = makers[each.schedule](each.options);
  const compiled = compile((step: Tensor) => rate(step));
  each.rates.forEach((_, step) => {
    for (const dtype of ["int32", "float64"] as const) {
      const found = rate(tensor(step, { dtype }));
      expect([found.dtype, found.shape, found.item()]).toEqual(["float64", [], rate(step)]);
      expect(compiled(tensor(step, { dtype })).item()).toBe(rate(step));
    }
  });
  expect(compiled.explain()).not.toContain("not compiled");
});

test("a function of plain numbers works, but not inside of what is compiled", () => {
  const optimizer = sgd({ learningRate: (step: number) => 0.5 / (1 + step) });
  const step = (w: Tensor, state: { step: Tensor }) => {
    const [updates, next] = optimizer.update(tensor([1, 1]), state, w);
    return [applyUpdates(w, updates), next] as const;
  };
  const compiled = compile(step);
  let w: Tensor = tensor([1, 1]);
  let state: { step: Tensor } = optimizer.init(w);
  for (let i = 0; i < 3; i++) [w, state] = compiled(w, state);
  expect(w.toArray<number[]>()[0]).toBeCloseTo(1 - 0.5 - 0.25 - 0.5 / 3, 6);
  expect(compiled.explain().split("not compiled, ")[1]).toMatchInlineSnapshot(
    `"because sgd: the learning rate is a function of plain numbers, which a plan would ask once; write it with ops, as in schedule((step) => step.add(1).reciprocal().mul(0.1))"`,
  );
});

describe("plateau", () => {
  test.each(pytorch.plateaus.map((each) => [JSON.stringify(each.options), each] as const))(
    "%s follows PyTorch",
    (_label, { options, metrics, rates }) => {
      const link = plateau(options);
      let state = link.init({});
      metrics.forEach((metric, i) => {
        state = link.report(metric, state);
        expect(state.scale.item()).toBeCloseTo(rates[i]!, 13);
      });
    },
  );

  /** By the definition, in plain numbers. */
  const byHand = (metrics: number[], max: boolean) => {
    let [scale, best, bad, cooling] = [1, max ? -Infinity : Infinity, 0, 0];
    for (const metric of metrics) {
      const margin = Number.isFinite(best) ? 0.1 * Math.abs(best) : 0;
      if (max ? metric > best + margin : metric < best - margin) [best, bad] = [metric, 0];
      else bad++;
      if (cooling > 0) [cooling, bad] = [cooling - 1, 0];
      if (bad > 2) [scale, cooling, bad] = [Math.max(scale * 0.5, 0.1), 1, 0];
    }
    return [scale, best];
  };

  test("negative metrics improve and stall as positive ones do, in both modes, compiled or not", () => {
    const metric = fc.double({ min: -3, max: 3, noNaN: true });
    const metrics = fc.array(fc.oneof(metric, fc.constantFrom(-1, -2, 0)), { maxLength: 40 });
    const options = { factor: 0.5, patience: 2, cooldown: 1, threshold: 0.1, minimum: 0.1 };
    fc.assert(
      fc.property(metrics, fc.boolean(), (all, max) => {
        const link = plateau({ ...options, mode: max ? "max" : "min" });
        const compiled = compile(link.report);
        let [one, two] = [link.init({}), link.init({})];
        for (const x of all) {
          one = link.report(x, one);
          two = compiled(tensor(x, { dtype: "float64" }), two);
        }
        const expected = byHand(all, max);
        expect([one.scale.item(), one.best.item()]).toEqual(expected);
        expect([two.scale.item(), two.best.item()]).toEqual(expected);
      }),
    );
  });

  test("a loss of -1 that stays is no improvement", () => {
    const link = plateau({ patience: 1 });
    let state = link.init({});
    for (const loss of [-1, -1, -1]) state = link.report(loss, state);
    expect(state.scale.item()).toBe(0.1);
    expect(state.best.item()).toBe(-1);
  });

  test("an infinite loss is no best one", () => {
    const link = plateau({ patience: 0 });
    const state = link.report(Number.POSITIVE_INFINITY, link.init({}));
    expect([state.scale.item(), state.best.item()]).toEqual([0.1, Infinity]);
  });

  test("the updates of a chain are multiplied", () => {
    const link = plateau({ factor: 0.5, patience: 0 });
    const optimizer = chain({ sgd: sgd({ learningRate: 1 }), link });
    const w = tensor([1, 2]);
    let state = optimizer.init(w);
    for (const loss of [1, 1]) state = { ...state, link: link.report(loss, state.link) };
    const [updates] = optimizer.update(tensor([1, 2]), state, w);
    expect(updates.toArray()).toEqual([-0.5, -1]);
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
  const link = plateau({ initial: 1 });
  const state = link.init({});
  expect(() => link.report(Number.NaN, state)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: plateau.report: the metric must be a number, got NaN]`,
  );
  expect(() => link.report("1" as never, state)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: plateau.report: the metric must be a number, got "1"]`,
  );
  expect(() =>
    compile(link.report)(tensor(Number.NaN, { dtype: "float64" }), state),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: plateau.report: the metric must be a number, got Tensor float64 []]`,
  );
  expect(state.scale.item()).toBe(1);
  expect(() => cosineDecay({ initial: 1, step: 5 } as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: cosineDecay: there is no option "step", did you mean "steps"? It takes initial, steps, final]`,
  );
});
