import { tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams, lstm } from "@chronograd/rnn";
import { lyapunovSpectrum, verdict } from "@chronograd/rnn/flow";
import { describe, expect, test } from "vitest";
import {
  cat,
  diagonal,
  henon,
  linearMap,
  logistic,
  mapCell,
  plain,
  stateOf,
  stepsOf,
} from "./maps.ts";

describe("exponents of chaotic maps", () => {
  test("the logistic map has ln 2", () => {
    const state = stateOf([[0.3], [0.7123]]);
    const found = lyapunovSpectrum(logistic, plain, stepsOf(1000, 2, 1), { state });
    expect(Math.abs(found.exponents[0]! - Math.LN2)).toBeLessThan(5e-3);
    expect(found.rows.length).toBe(2);
    expect(found.steps).toBe(1800);
  });

  test("the cat map has the logarithms of (3 +- sqrt 5) / 2", () => {
    const state = stateOf([[0.1, 0.2]]);
    const options = { state, warmUp: 30 };
    const { exponents } = lyapunovSpectrum(cat, plain, stepsOf(60, 1, 2), options);
    const golden = Math.log((3 + Math.sqrt(5)) / 2);
    expect(Math.abs(exponents[0]! - golden)).toBeLessThan(1e-12);
    expect(Math.abs(exponents[1]! + golden)).toBeLessThan(1e-12);
  });

  test("the map of Hénon has 0.419 and -1.623, with the sum ln 0.3", () => {
    // Sprott 2003, Chaos and Time-Series Analysis: 0.41922 and -1.62319.
    const options = { state: stateOf([[0.1, 0.1]]), warmUp: 100 };
    const { exponents, errors } = lyapunovSpectrum(henon, plain, stepsOf(2000, 1, 2), options);
    expect(Math.abs(exponents[0]! - 0.41922)).toBeLessThan(0.015);
    expect(Math.abs(exponents[0]! - 0.41922)).toBeLessThan(3 * errors[0]!);
    expect(Math.abs(exponents[1]! + 1.62319)).toBeLessThan(0.015);
    expect(Math.abs(exponents[0]! + exponents[1]! - Math.log(0.3))).toBeLessThan(1e-12);
  });
});

/** Growth of a row by its input alone: `h_t = x_t h_{t-1}`. */
const factors = {
  ...mapCell(1, (h) => h),
  step: (_params: unknown, x: never, { h }: { h: ReturnType<typeof tensor> }) => {
    const next = h.mul(x);
    return [next, { h: next }] as const;
  },
};

function factorsOf(T: number, B: number, seed: number): Float64Array {
  const random = rng(seed, "factors");
  return Float64Array.from({ length: T * B }, () => Math.exp(0.3 * random.normal() - 0.1));
}

const logOf = (values: readonly number[]) =>
  values.reduce((sum, x) => sum + Math.log(x), 0) / values.length;

test("the standard error is that of independent growths", () => {
  const within: boolean[] = [];
  for (let seed = 1; seed <= 20; seed++) {
    const inputs = tensor(factorsOf(200, 1, seed), { shape: [200, 1, 1] });
    const state = stateOf([[1]]);
    const { exponents, errors } = lyapunovSpectrum(
      factors,
      plain,
      { inputs },
      { state, warmUp: 0 },
    );
    // 0.3 / sqrt(200) is 0.0212; of 14 batches an estimate varies by a fifth.
    expect(Math.abs(errors[0]! / 0.0212 - 1)).toBeLessThan(0.7);
    within.push(Math.abs(exponents[0]! + 0.1) < 2 * errors[0]!);
  }
  expect(within.filter(Boolean).length).toBeGreaterThanOrEqual(17);
});

test("rows count the steps that they take; a reset begins a warm-up", () => {
  const [T, B] = [12, 3];
  const values = factorsOf(T, B, 7);
  const inputs = tensor(values, { shape: [T, B, 1] });
  const resets = tensor(
    Int32Array.from({ length: T * B }, (_, i) => (i === 6 * B + 1 ? 1 : 0)),
    { shape: [T, B] },
  );
  const stream = { inputs, lengths: [12, 12, 5], resets };
  const options = { state: stateOf([[1], [1], [1]]), warmUp: 2 };
  const found = lyapunovSpectrum(factors, plain, stream, options);
  const of = (row: number, times: readonly number[]) =>
    times.map((t) => values[(t - 1) * B + row]!);
  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const taken = [
    of(0, range(3, 12)),
    of(1, [...range(3, 6), ...range(10, 12)]),
    of(2, range(3, 5)),
  ];
  expect(found.rows.map(({ steps }) => steps)).toEqual(taken.map(({ length }) => length));
  for (const [row, own] of taken.entries()) {
    expect(found.rows[row]!.exponents[0]).toBeCloseTo(logOf(own), 12);
  }
  expect(found.exponents[0]).toBeCloseTo(logOf(taken.flat()), 12);
  const squares = taken.map((own) => (logOf(own) - logOf(taken.flat())) ** 2);
  expect(found.spread[0]).toBeCloseTo(Math.sqrt((squares[0]! + squares[1]! + squares[2]!) / 2), 12);
  expect(found.running.at(-1)).toEqual({ t: 12, exponents: found.exponents });
  expect(found.running[0]!.exponents[0]).toBeCloseTo(
    logOf([...of(0, [3]), ...of(1, [3]), ...of(2, [3])]),
    12,
  );
});

test("a row of a batch has the exponents that it has alone", () => {
  const cell = lstm({ input: 2, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const random = rng(2);
  const values = Float64Array.from({ length: 60 }, () => random.normal());
  const inputs = tensor(values, { shape: [10, 3, 2] });
  const resets = tensor(
    Int32Array.from({ length: 30 }, (_, i) => Number(i === 13)),
    { shape: [10, 3] },
  );
  const lengths = [10, 10, 7];
  const options = { count: 4, warmUp: 1, every: 2 };
  const { rows } = lyapunovSpectrum(cell, params, { inputs, lengths, resets }, options);
  for (const { row, exponents, errors } of rows) {
    const own = { inputs: inputs.slice([null, [row, row + 1]]), lengths: [lengths[row]!] };
    const marks = resets.slice([null, [row, row + 1]]);
    const alone = lyapunovSpectrum(cell, params, { ...own, resets: marks }, options);
    for (let k = 0; k < 4; k++) {
      expect(exponents[k]).toBeCloseTo(alone.exponents[k]!, 12);
      expect(errors[k]).toBeCloseTo(alone.errors[k]!, 12);
    }
  }
  expect(rows.length).toBe(3);
});

test("estimates on the way are at most 100, in the order of time", () => {
  const { running } = lyapunovSpectrum(linearMap([[0.5]]), plain, stepsOf(400, 1, 1));
  expect(running.length).toBe(100);
  expect(running.at(-1)!.t).toBe(400);
  for (const [i, { t }] of running.slice(1).entries()) expect(t).toBeGreaterThan(running[i]!.t);
});

test("a direction that is lost has the exponent -Infinity", () => {
  const cell = linearMap(diagonal([0.5, 0]));
  const { exponents, errors } = lyapunovSpectrum(cell, plain, stepsOf(40, 1, 2), { warmUp: 20 });
  expect(exponents[0]).toBeCloseTo(Math.log(0.5), 12);
  expect([exponents[1], errors[1]]).toEqual([-Infinity, 0]);
});

describe("verdicts", () => {
  const of = (factor: number, options = {}) =>
    verdict(lyapunovSpectrum(linearMap([[factor]]), plain, stepsOf(20, 1, 1)), options);

  test.each([
    [0.9, "vanishing"],
    [0.999, "stable"],
    [1, "stable"],
    [1.005, "stable"],
    [1.1, "exploding"],
  ] as const)("h_t = %d h_{t-1} is %s over 100 steps", (factor, expected) => {
    const found = of(factor);
    expect(found.verdict).toBe(expected);
    expect(found.factor / factor ** 100).toBeCloseTo(1, 9);
  });

  test("of a longer horizon are stricter", () => {
    expect(of(0.999, { horizon: 2000 }).verdict).toBe("vanishing");
  });

  test("need twice the standard error", () => {
    const spectrum = lyapunovSpectrum(linearMap([[1.1]]), plain, stepsOf(20, 1, 1));
    const exponent = Math.log(1.1);
    const at = (error: number) => verdict({ ...spectrum, errors: [error] }).verdict;
    expect([at(0.49 * exponent), at(0.51 * exponent)]).toEqual(["exploding", "stable"]);
  });
});

describe("growths of several steps", () => {
  for (const dtype of ["float32", "float64"] as const) {
    for (const [a, b] of [
      [0.005, 0.02],
      [1e-30, 1e-20],
      [1e15, 1e10],
    ] as const) {
      test(`${dtype}: factors ${a} and ${b} give their logarithms`, () => {
        const factors = tensor([a, b], { dtype });
        const scaled = mapCell(2, (h) => h.mul(factors));
        const inputs = zeros([120, 1, 2], { dtype });
        const params = { shift: zeros([2], { dtype }) };
        const options = { every: 25, warmUp: 25 };
        const { exponents } = lyapunovSpectrum(scaled, params, { inputs }, options);
        const expected = [Math.log(Math.max(a, b)), Math.log(Math.min(a, b))];
        const bound = dtype === "float32" ? 1e-5 : 1e-12;
        for (const [k, exponent] of exponents.entries()) {
          expect(Math.abs(exponent - expected[k]!)).toBeLessThan(bound);
        }
      });
    }
  }
});
