import { concat, ones, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { type ChooseWindowOptions, chooseWindow, truncationBias } from "../../src/flow.ts";
import { defineCell, elman, initialParams } from "../../src/index.ts";

const float64 = { dtype: "float64" } as const;

/** h_t = a h_{t-1} + w x_t, a given. */
const leak = (a: number) =>
  defineCell({
    params: () => ({ w: { shape: [1], draw: () => Float64Array.of(1) } }),
    state: () => ({ h: { shape: [1], draw: () => Float64Array.of(0) } }),
    step: ({ w }, x: Tensor, { h }) => {
      const next = h.mul(a).add(w.mul(x));
      return [next, { h: next }];
    },
  })({ input: 1, hidden: 1 });

const one = { w: tensor([1], float64) };
const level = (steps: number) => ({
  inputs: ones([steps, 1, 1], float64),
  targets: ones([steps, 1, 1], float64),
});
const loss = (h: Tensor) => h;

describe("a leaking unit with constant input and loss h_t", () => {
  // A window of k steps, for k1 = 1, keeps 1 - a^k of dl/dw.
  for (const [a, tolerance] of [
    [0.5, 0.1],
    [0.9, 0.05],
    [0.8, 0.01],
  ] as const) {
    test(`a = ${a}, tolerance ${tolerance}`, () => {
      const chosen = chooseWindow(leak(a), one, level(a < 0.8 ? 100 : 240), {
        tolerance,
        loss,
        lags: a < 0.8 ? 20 : 60,
      });
      const expected = Math.floor(Math.log(tolerance) / Math.log(a)) + 1;
      expect(chosen.refusal).toBe(null);
      expect(chosen.k2).toBe(expected);
      expect(chosen.decay!.rate).toBeCloseTo(a, 6);
      expect(chosen.heldOut!.value).toBeCloseTo(a ** expected, 5);
      expect(chosen.estimate!.value).toBeCloseTo(a ** expected, 3);
      const { start } = chosen.checked[0]!;
      expect(start).toBe(chosen.steps * 0.75);
      expect(chosen.checked.at(-1)!.end).toBe(chosen.steps);
      expect(JSON.parse(JSON.stringify(chosen))).toEqual(chosen);
    });
  }

  test("k1 above 1: the loss of a window's first step has k1 - 1 steps less", () => {
    // sum over i < k1 of a^(k - i), divided by k1.
    const [a, k1, tolerance] = [0.9, 5, 0.12];
    const bias = (k: number) => (a ** (k - k1 + 1) * (1 - a ** k1)) / (1 - a) / k1;
    let expected = k1;
    while (bias(expected) >= tolerance) expected++;
    const chosen = chooseWindow(leak(a), one, level(300), { tolerance, loss, k1, lags: 60 });
    expect(chosen.k2).toBe(expected);
    expect(chosen.heldOut!.value).toBeCloseTo(bias(expected), 5);
  });
});

describe("a dependency at lag 60", () => {
  const delay = 60;
  /** A shift register of 60 places behind a weight: the output is w x_{t - 60}. */
  const register = defineCell({
    params: () => ({ w: { shape: [1], draw: () => Float64Array.of(1) } }),
    state: () => ({ h: { shape: [delay], draw: () => new Float64Array(delay) } }),
    step: ({ w }, x: Tensor, { h }) => {
      const output = h.slice([null, [delay - 1, delay]]);
      return [output, { h: concat([w.mul(x), h.slice([null, [0, delay - 1]])], 1) }];
    },
  })({ input: 1, hidden: 1 });
  const random = rng(2);
  const signs = Float64Array.from({ length: 200 }, () => (random.uniform() < 0.5 ? -1 : 1));
  const stream = {
    inputs: tensor(signs, { shape: [200, 1, 1], ...float64 }),
    targets: concat([
      zeros([delay, 1, 1], float64),
      tensor(signs.slice(0, 200 - delay), { shape: [200 - delay, 1, 1], ...float64 }),
    ]),
  };
  const square = (y: Tensor, target: Tensor) => y.sub(target).square();
  const params = { w: tensor([0.7], float64) };

  test("needs 61 steps: that in which x comes in, and 60 after it", () => {
    const chosen = chooseWindow(register, params, stream, {
      tolerance: 0.1,
      loss: square,
      lags: 70,
    });
    expect(chosen.k2).toBe(delay + 1);
    expect(chosen.heldOut!.value).toBe(0);
    const { biases } = truncationBias(register, params, stream, {
      k1: 1,
      k2: [delay, delay + 1],
      loss: square,
    });
    expect(biases.map(({ all }) => all.relativeError.value)).toEqual([1, 0]);
  });

  test("is refused where fewer lags are measured", () => {
    const chosen = chooseWindow(register, params, stream, {
      tolerance: 0.1,
      loss: square,
      lags: 40,
    });
    expect(chosen.k2).toBe(null);
    expect(chosen.refusal).toMatchInlineSnapshot(
      `"the gradient does not decay: its norm is multiplied by 1 per step back, with an interval up to 1, from lag 20 to 40, so no window is known to be long enough; give more lags, and a longer stream, to see whether it decays further back"`,
    );
  });
});

describe("refusals that are results", () => {
  test("no decay", () => {
    for (const a of [1, 1.01]) {
      const chosen = chooseWindow(leak(a), one, level(120), { tolerance: 0.1, loss });
      expect(chosen).toMatchObject({ k2: null, tail: null, heldOut: null, checked: [] });
      if (a > 1)
        expect(chosen.refusal).toMatchInlineSnapshot(
          `"the gradient does not decay: its norm is multiplied by 1.01 per step back, with an interval up to 1.01, from lag 11 to 22, so no window is known to be long enough; give more lags, and a longer stream, to see whether it decays further back"`,
        );
    }
  });

  test("lags that are too few for the decay", () => {
    const options = { tolerance: 0.1, loss, lags: 20 };
    const chosen = chooseWindow(leak(0.99), one, level(120), options);
    expect(chosen.k2).toBe(null);
    expect(chosen.refusal).toMatchInlineSnapshot(
      `"the measured lags are too few to tell: an estimated 0.81 of the gradient's mass lies above lag 20, and the tolerance is 0.1; give more lags, and a stream that is long enough for them"`,
    );
  });

  test("held-out steps that contradict", () => {
    // A second part whose inputs come in bursts that are remembered, and losses only at their end.
    const steps = Array.from({ length: 200 }, (_, t) => ({
      input: tensor([[t < 150 || t % 20 === 0 ? 1 : 0]], float64),
      target: tensor([[t < 150 || t % 20 === 19 ? 1 : 0]], float64),
    }));
    const chosen = chooseWindow(leak(0.8), one, steps, {
      tolerance: 0.1,
      loss: (h: Tensor, target: Tensor) => h.mul(target),
      lags: 30,
    });
    expect(chosen.k2).toBe(null);
    expect(chosen.heldOut!.value).toBeGreaterThan(0.1);
    expect(chosen.refusal).toMatchInlineSnapshot(
      `"k2 11 has a relative bias of 0.0859 on steps 31 to 150, but it is 0.812 on those held out, 151 to 200, with the tolerance 0.1; give a longer stream"`,
    );
  });

  test("a noisy Elman network is held to its own interval", () => {
    const cell = elman({ input: 1, hidden: 3 });
    const params = initialParams(cell, rng(3), float64);
    const random = rng(4);
    const draw = (columns: number) =>
      tensor(
        Float64Array.from({ length: 400 * columns }, () => random.normal() + 2),
        { shape: [400, 1, columns] },
      );
    const stream = { inputs: draw(1), targets: draw(3) };
    const mse = (y: Tensor, target: Tensor) => y.sub(target).square();
    const chosen = chooseWindow(cell, params, stream, { tolerance: 0.1, loss: mse, lags: 24 });
    expect(chosen.refusal).toBe(null);
    const { low, value, high } = chosen.estimate!;
    expect(low).toBeLessThanOrEqual(value!);
    expect(value).toBeLessThan(high!);
    expect(high).toBeLessThan(0.1);
    const smaller = chosen.measured.find(({ k2 }) => k2 === chosen.k2! - 1)!;
    expect(smaller.relativeError.high).toBeGreaterThanOrEqual(0.1);
  });
});

test("losses without a gradient are refused, at any scale of the others", () => {
  const options = { tolerance: 0.1, lags: 20 };
  const scaled = (scale: number) =>
    chooseWindow(leak(0.5), one, level(100), { ...options, loss: (h: Tensor) => h.mul(scale) });
  expect([scaled(0).k2, scaled(0).refusal]).toMatchInlineSnapshot(`
    [
      null,
      "the gradient of the losses is 0 on the stretch measured, steps 21 to 75, and has no relative bias; look at the loss, at its scale and at units that are dead, or give another stream",
    ]
  `);
  for (const scale of [1e-170, 1e160]) expect(scaled(scale).k2).toBe(scaled(1).k2);
});

describe("refusals that throw", () => {
  const said = (changes: object, steps = 40) => {
    const options = { tolerance: 0.1, loss, ...changes } as ChooseWindowOptions<{ h: never }>;
    try {
      chooseWindow(leak(0.5), one, level(steps), options as never);
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("options", () => {
    expect(said({ tolerance: 0 })).toMatchInlineSnapshot(
      `"chooseWindow: tolerance must be a number between 0 and 1, got 0"`,
    );
    expect(said({ tolerance: 1 })).toMatchInlineSnapshot(
      `"chooseWindow: tolerance must be a number between 0 and 1, got 1"`,
    );
    expect(said({ tolerance: Number.NaN })).toMatchInlineSnapshot(
      `"chooseWindow: tolerance must be a number between 0 and 1, got NaN"`,
    );
    expect(said({ tolerance: undefined })).toMatchInlineSnapshot(
      `"chooseWindow: tolerance must be a number between 0 and 1, got undefined"`,
    );
    expect(said({ heldOut: 1 })).toMatchInlineSnapshot(
      `"chooseWindow: heldOut must be a number between 0 and 1, got 1"`,
    );
    expect(said({ k1: 0 })).toMatchInlineSnapshot(
      `"chooseWindow: k1 must be a whole number of steps of at least 1, got 0"`,
    );
    expect(said({ lags: 1.5 })).toMatchInlineSnapshot(
      `"chooseWindow: lags must be a whole number of steps of at least 1, got 1.5"`,
    );
    expect(said({ k1: 4, lags: 3 })).toMatchInlineSnapshot(
      `"chooseWindow: lags must be at least k1, since k2 is, got k1 4 and lags 3"`,
    );
    expect(said({ tolerence: 3 })).toMatchInlineSnapshot(
      `"chooseWindow: there is no option "tolerence", did you mean "tolerance"? It takes loss, tolerance, k1, lags, heldOut, state, rng"`,
    );
  });

  test("streams", () => {
    expect(said({ lags: 50 })).toMatchInlineSnapshot(
      `"chooseWindow: the stream has 40 steps, too short for 50 lags: 6 stretches of k1 1 or more steps follow them, and 2 are held out; give about 76 steps or more, or fewer lags"`,
    );
    expect(said({}, 5)).toMatchInlineSnapshot(
      `"chooseWindow: the stream has 5 steps, too short for 2 lags: 6 stretches of k1 1 or more steps follow them, and 2 are held out; give about 12 steps or more, or fewer lags"`,
    );
    expect(said({ loss: () => null })).toMatchInlineSnapshot(
      `"chooseWindow: the loss is null at all steps from 8 to 30, so nothing can be measured there; give a stream with losses"`,
    );
  });
});
