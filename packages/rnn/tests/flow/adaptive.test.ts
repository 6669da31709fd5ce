import { type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { applyUpdates, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { type AdaptiveOptions, adaptive } from "../../src/flow.ts";
import { type AdaptiveWindow, type TruncatedOptions, truncated } from "../../src/index.ts";
import { type AnyParams, line, numbers, type Problem, problem } from "../truncated/setup.ts";

type Options = Omit<TruncatedOptions<Record<string, never>>, "loss">;

/** What a stream yields while its parameters are updated. */
function run({ cell, params, steps, loss }: Problem, options: Options) {
  let present = tree.map(params, (x: Tensor) => x.clone()) as AnyParams;
  const windows = truncated(cell, present, steps, { ...options, loss });
  return Array.from(windows, ({ gradients, losses, start, newFrom, end, state }) => {
    const found = {
      gradients: numbers(gradients),
      state: numbers(state),
      ...{ losses, start, newFrom, end },
    };
    const step = tree.map(gradients, (g: Tensor) => g.mul(-0.01)) as AnyParams;
    present = applyUpdates(present, step) as AnyParams;
    return found;
  });
}

/** Reaches back as it is told, and keeps what it is given. */
function scripted(most: number, k2s: readonly number[], every: number) {
  const seen: (readonly number[])[] = [];
  let asked = 0;
  const k2: AdaptiveWindow = {
    ...adaptive({ tolerance: 0.5, most }),
    next: () => k2s[asked++ % k2s.length]!,
    isDue: (window) => window % every === 0,
    observe: (squares) => void seen.push(squares),
  };
  return { k2, seen };
}

describe.each([false, true])("compile: %s", (compile) => {
  test.each(["elman", "lstm", "gru"])("%s: windows are those of the k2 that was chosen", (name) => {
    // Frozen weights, so that windows of a plain stream can be compared one by one.
    const { cell, params, steps, loss } = problem(name, 23, 5);
    const windows = (k2: number | AdaptiveWindow) =>
      Array.from(
        truncated(cell, params, steps, { k1: 2, k2, loss, compile, measure: () => false }),
        ({ gradients, start, end }) => ({ gradients: numbers(gradients), start, end }),
      );
    const plain = new Map([2, 4, 8, 9].map((k2) => [k2, windows(k2)]));
    const k2s = [2, 8, 4, 9];
    // Measured or not, gradients are the same.
    for (const every of [1, 2, 100]) {
      for (const [j, found] of windows(scripted(9, k2s, every).k2).entries()) {
        const expected = plain.get(k2s[j % 4]!)![j]!;
        expect([found.start, found.end]).toEqual([expected.start, expected.end]);
        if (!compile) expect(found).toEqual(expected);
        for (const [path, values] of Object.entries(found.gradients)) {
          for (const [i, x] of values.entries()) {
            expect(Math.abs(x - expected.gradients[path]![i]!)).toBeLessThan(1e-12);
          }
        }
      }
    }
  });

  test("one that stays is bitwise the plain stream, with updates", () => {
    const p = problem("lstm", 30, 2);
    const options = { k1: 3, compile };
    const plain = run(p, { ...options, k2: 6 });
    expect(run(p, { ...options, k2: scripted(6, [6], 100).k2 })).toEqual(plain);
    expect(run(p, { ...options, k2: scripted(6, [6], 2).k2 })).toEqual(plain);
  });

  test("measures the gradient of the last loss by the states before it", () => {
    // x_t = x_{t-1} / 2 with loss x_t: the gradient by the state tau steps before is 2^-tau.
    const { k2, seen } = scripted(6, [2, 4], 1);
    const zero = zeros([1, 1], { dtype: "float64" });
    const params = { w: tensor(0.5, { dtype: "float64" }) };
    const steps = Array.from({ length: 9 }, (_, i) => ({
      input: zero,
      // No loss at the end of windows 1 and 3: then it is that before.
      target: tensor([[i % 4 === 3 ? 0 : 1]], { dtype: "float64" }),
    }));
    const loss = (x: Tensor, target: Tensor) => (target.item() === 0 ? null : x);
    const stream = truncated(line, params, steps, { k1: 2, k2, loss, compile });
    expect(Array.from(stream, ({ end }) => end)).toEqual([2, 4, 6, 8, 9]);
    const squares = (lags: number) => Array.from({ length: lags }, (_, i) => 0.25 ** (i + 1));
    expect(seen).toEqual([1, 3, 5, 5, 6].map(squares));
  });
});

/** One that has seen norms a^tau at so many lags. */
function taught(a: number, lags: number, options: AdaptiveOptions) {
  const made = adaptive(options);
  made.observe(Array.from({ length: lags }, (_, i) => a ** (2 * (i + 1))));
  return made;
}

describe("the choice", () => {
  test("of norms a^tau: the smallest k2 with a^(k2 - 1) below the tolerance, for k1 = 1", () => {
    for (const a of [0.3, 0.5, 0.8, 0.9]) {
      for (const tolerance of [0.5, 0.11, 0.021]) {
        const k2 = taught(a, 60, { tolerance, most: 100 });
        let expected = 1;
        while (a ** (expected - 1) >= tolerance) expected++;
        expect(k2.next(1)).toBe(expected);
        expect(k2.k2).toBe(expected);
        expect(k2.decay).toBeCloseTo(a, 10);
        // The mean over the losses of a window, of which the first has the fewest steps.
        const k1 = 5;
        const mean = (k: number) => {
          return [0, 1, 2, 3, 4].reduce((sum, i) => sum + a ** (k - i - 1), 0) / k1;
        };
        let several = k1;
        while (mean(several) >= tolerance) several += k1;
        expect(k2.next(k1)).toBe(several);
      }
    }
  });

  test("is most where nothing was measured, nothing decays, or no smaller one suffices", () => {
    const options = { tolerance: 0.1, most: 30 };
    expect(adaptive(options).next(4)).toBe(30);
    expect(taught(1, 30, options).next(4)).toBe(30);
    expect(taught(1.1, 30, options).next(1)).toBe(30);
    expect(taught(0.99, 30, options).next(1)).toBe(30);
    expect(taught(0.5, 30, options).next(4)).toBe(8);
  });

  test("averages, with older measurements fading; and leaves out those that say nothing", () => {
    const k2 = adaptive({ tolerance: 0.1, most: 8, memory: 2 });
    k2.observe([4, 1]);
    k2.observe([0, 0]);
    k2.observe([Infinity, 1]);
    k2.observe([16, 9, 4]);
    k2.observe([0, 1, 36]);
    expect(k2.getState()).toEqual({ k2: null, norms: [1.5, 1.5, 4], counts: [2, 2, 2] });
  });

  test("a dependency at lag 60 needs more than 60 steps", () => {
    const k2 = adaptive({ tolerance: 0.1, most: 100 });
    k2.observe(Array.from({ length: 100 }, (_, i) => (i === 59 ? 1 : 0)));
    expect(k2.next(1)).toBe(61);
  });
});

test("goes on from its state, in a stream that is resumed", () => {
  const { cell, params, steps, loss } = problem("gru", 60, 4);
  const options = { tolerance: 0.2, most: 12, every: 3 };
  const spans = (k2: AdaptiveWindow, from = 0, resume = {}) =>
    Array.from(
      truncated(cell, params, steps.slice(from), { k1: 2, k2, loss, ...resume }),
      ({ start, end, gradients }) => ({ start, end, gradients: numbers(gradients) }),
    );
  const whole = spans(adaptive(options));
  expect(new Set(whole.slice(6).map(({ start, end }) => end - start)).size).toBeGreaterThan(1);

  const first = adaptive(options);
  for (const { end, live } of truncated(cell, params, steps, { k1: 2, k2: first, loss })) {
    if (end < 30) continue;
    const state = JSON.parse(JSON.stringify(first.getState()));
    const rest = spans(adaptive({ ...options, state }), 30, { resume: live });
    expect(rest).toEqual(whole.slice(15));
    break;
  }
});

describe("refusals", () => {
  const said = (act: () => unknown) => {
    try {
      act();
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("of adaptive", () => {
    const good = { tolerance: 0.1, most: 10 };
    const of = (changes: object) => said(() => adaptive({ ...good, ...changes }));
    expect(of({ tolerance: 1 })).toMatchInlineSnapshot(
      `"adaptive: tolerance must be a number between 0 and 1, got 1"`,
    );
    expect(of({ tolerance: Number.NaN })).toMatchInlineSnapshot(
      `"adaptive: tolerance must be a number between 0 and 1, got NaN"`,
    );
    expect(of({ most: Infinity })).toMatchInlineSnapshot(
      `"adaptive: most must be a whole number of at least 1, got Infinity"`,
    );
    expect(of({ every: 0 })).toMatchInlineSnapshot(
      `"adaptive: every must be a whole number of at least 1, got 0"`,
    );
    expect(of({ memory: 1.5 })).toMatchInlineSnapshot(
      `"adaptive: memory must be a whole number of at least 1, got 1.5"`,
    );
    expect(of({ least: 3 })).toMatchInlineSnapshot(
      `"adaptive: there is no option "least". It takes tolerance, most, every, memory, state"`,
    );
    expect(of({ state: { norms: [1] } })).toMatchInlineSnapshot(
      `"adaptive: state must be what getState() of an adaptive k2 gave, got an object"`,
    );
    expect(of({ most: 4, state: { k2: 9, norms: [1], counts: [1] } })).toMatchInlineSnapshot(
      `"adaptive: the state has k2 9, which must be a whole number from 1 to most, 4; go on with the most of that one, or leave state out"`,
    );
    expect(of({ most: 4, state: { k2: 0, norms: [1], counts: [1] } })).toMatchInlineSnapshot(
      `"adaptive: the state has k2 0, which must be a whole number from 1 to most, 4; go on with the most of that one, or leave state out"`,
    );
    expect(of({ most: 1, state: { k2: 1, norms: [1, 1], counts: [1, 1] } })).toMatchInlineSnapshot(
      `"adaptive: the state has norms at 2 lags, and most is 1; go on with the most of that one, or leave state out"`,
    );
  });

  test("of truncated", () => {
    const { cell, params, steps, loss } = problem("gru", 4, 4);
    const of = (options: object) => {
      const k2 = adaptive({ tolerance: 0.1, most: 10 });
      return said(() => truncated(cell, params, steps, { k1: 2, k2, loss, ...options }));
    };
    expect(of({ stale: "recompute" })).toMatchInlineSnapshot(
      `"truncated: an adaptive k2 needs stale "carry" and losses "new" or "endpoint", got "recompute" and "new"; give a number as k2"`,
    );
    expect(of({ losses: "window" })).toMatchInlineSnapshot(
      `"truncated: an adaptive k2 needs stale "carry" and losses "new" or "endpoint", got "carry" and "window"; give a number as k2"`,
    );
    expect(of({ k1: 20 })).toMatchInlineSnapshot(
      `"truncated: k2 must be at least k1, got k1 20 and k2 10; with k2 < k1 the losses of 10 steps in every window would reach no weights"`,
    );
    expect(of({ k2: {} })).toMatchInlineSnapshot(
      `"truncated: k2 must be a whole number of steps of at least 1, got an object"`,
    );
    expect(of({ k2: null })).toMatchInlineSnapshot(
      `"truncated: k2 must be a whole number of steps of at least 1, got null"`,
    );
  });
});

test("draws nothing and reads nothing: the same again", () => {
  const p = problem("elman", 80, 9);
  const options = { k1: 2, k2: adaptive({ tolerance: 0.1, most: 20, every: 4 }) };
  const again = { k1: 2, k2: adaptive({ tolerance: 0.1, most: 20, every: 4 }) };
  expect(run(p, options)).toEqual(run(p, again));
  expect(options.k2.getState()).toEqual(again.k2.getState());
  expect(rng(1).uniform()).toBe(rng(1).uniform());
});
