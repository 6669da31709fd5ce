import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { type Course, sweepBands } from "../../src/flow/bands.ts";
import { exactBias } from "../../src/flow/gradientBias.ts";
import { sampleBands } from "../../src/flow/sampleBands.ts";
import { sampledBias } from "../../src/flow/sampledBias.ts";
import { withTrajectory } from "../../src/flow/trajectory.ts";
import { type TruncationBiasOptions, truncationBias } from "../../src/flow.ts";
import { elman, initialParams, lstm, truncated } from "../../src/index.ts";
import { line } from "../truncated/setup.ts";

const loss = (y: Tensor, target: Tensor) => y.sub(target).square().sum(-1);

function problem(T: number) {
  const cell = elman({ input: 1, hidden: 2 });
  const params = initialParams(cell, rng(3), { dtype: "float64" });
  const random = rng(7);
  const draw = (columns: number) =>
    tensor(
      Float64Array.from({ length: columns }, () => random.normal() + 2),
      { shape: [1, columns] },
    );
  const steps = Array.from({ length: T }, () => ({ input: draw(1), target: draw(2) }));
  return { cell, params, steps };
}

describe("exact", () => {
  test("cosine, relative error and ratio are those of the sums of windows", () => {
    const cell = lstm({ input: 1, hidden: 3 });
    const params = initialParams(cell, rng(3), { dtype: "float64" });
    const steps = problem(30).steps.map(({ input }) => ({ input, target: input }));
    const sums = (k2: number) => {
      const sum = new Map<string, number[]>();
      for (const { gradients } of truncated(cell, params, steps, { k1: 2, k2, loss })) {
        for (const [path, g] of tree.leavesWithPath<Tensor>(gradients)) {
          const there = sum.get(path);
          sum.set(
            path,
            [...g.toTypedArray()].map((x, i) => x + (there?.[i] ?? 0)),
          );
        }
      }
      return sum;
    };
    const k2s = [8, 2, 30];
    const { biases, ...rest } = truncationBias(cell, params, steps, { k1: 2, k2: k2s, loss });
    expect(rest).toEqual({ k1: 2, steps: 30, windows: 15, samples: null });
    const full = sums(30);
    for (const [i, { k2, all, params: own }] of biases.entries()) {
      expect(k2).toBe(k2s[i]);
      const part = sums(k2);
      const pairs = [...full].map(([path, g]) => [own[path]!, part.get(path)!, g] as const);
      pairs.push([all, [...part.values()].flat(), [...full.values()].flat()]);
      expect(Object.keys(own)).toEqual([...full.keys()]);
      for (const [bias, a, b] of pairs) {
        const norm = (x: number[]) => Math.hypot(...x);
        const dot = a.reduce((sum, x, j) => sum + x * b[j]!, 0);
        const error = norm(a.map((x, j) => x - b[j]!)) / norm(b);
        expect(bias.cosine.value).toBeCloseTo(dot / norm(a) / norm(b), 10);
        expect(bias.relativeError.value).toBeCloseTo(error, 10);
        expect(bias.normRatio.value).toBeCloseTo(norm(a) / norm(b), 10);
        expect(bias.normRatio.low).toBe(bias.normRatio.value);
      }
    }
  });

  test("of x_t = w x_{t-1} with loss x_t, k1 = 1: sums of t w^(t-1), with t at most k2", () => {
    // d(x_t)/dw with x_{t-k2} constant is min(t, k2) w^(t-1) x_0.
    const w = 0.8;
    const T = 12;
    const params = { w: tensor(w, { dtype: "float64" }) };
    const zero = tensor([[0]], { dtype: "float64" });
    const steps = Array.from({ length: T }, () => ({ input: zero, target: zero }));
    const sum = (k2: number) =>
      steps.reduce((total, _, i) => total + Math.min(i + 1, k2) * w ** i, 0);
    const options = { k1: 1, k2: [1, 3, 6, 12], loss: (y: Tensor) => y };
    for (const { k2, all } of truncationBias(line, params, steps, options).biases) {
      expect(all.relativeError.value).toBeCloseTo(1 - sum(k2) / sum(T), 12);
      expect(all.normRatio.value).toBeCloseTo(sum(k2) / sum(T), 12);
      expect(all.cosine.value).toBeCloseTo(1, 12);
    }
  });

  test("a parameter without a gradient has no bias", () => {
    const { cell, params, steps } = problem(4);
    const zeros = steps.map(({ target }) => ({ input: tensor([[0]]).cast("float64"), target }));
    const { biases } = truncationBias(cell, params, zeros, { k1: 1, k2: 1, loss });
    const none = { value: null, low: null, high: null };
    expect(biases[0]!.params.W).toEqual({ cosine: none, relativeError: none, normRatio: none });
    expect(JSON.parse(JSON.stringify(biases))).toEqual(biases);
  });
});

/** A course of 12 windows, and what each gives for each way in which its draws can fall. */
function sampled<T>(
  use: (
    exact: readonly Float64Array[],
    at: (window: number, further: number) => readonly Float64Array[],
  ) => T,
): T {
  const { cell, params, steps } = problem(12);
  return withTrajectory("test", cell, params, steps, {}, (trajectory) => {
    const course = { where: "test", cell, params, loss, trajectory } as unknown as Course<
      unknown,
      unknown,
      Tensor,
      Tensor,
      Tensor
    >;
    const sampling = { k1: 1, k2s, samples: 1, horizon };
    const at = (window: number, further: number) => {
      const uniform = () => 1 - survival ** (further + 0.5);
      const draws = { integer: () => window, uniform } as unknown as Rng;
      return sampleBands(course, { ...sampling, draws })[0]!.vectors;
    };
    return use(sweepBands(course, { k1: 1, k2s, from: 0, to: 12 }).vectors, at);
  });
}

const k2s = [1, 2, 3];
const horizon = 2;
const survival = 2 / 3;

function sum(vectors: readonly Float64Array[]): Float64Array {
  return vectors[0]!.map((_, i) => vectors.reduce((total, vector) => total + vector[i]!, 0));
}

describe("by samples", () => {
  test("the mean over all that can be drawn is the exact gradient, band by band", () => {
    sampled((exact, at) => {
      const mean = exact.map((band) => new Float64Array(band.length));
      for (let window = 0; window < 12; window++) {
        for (let further = 0; further <= 12; further++) {
          const share = further === 12 ? 1 : 1 - survival;
          const probability = (survival ** further * share) / 12;
          for (const [b, band] of at(window, further).entries()) {
            for (const [i, x] of band.entries()) mean[b]![i]! += probability * x;
          }
        }
      }
      for (const [b, band] of exact.entries()) {
        for (const [i, x] of band.entries()) expect(mean[b]![i]).toBeCloseTo(x, 12);
      }
    });
  });

  test("intervals of 95 % hold the exact numbers in 95 % of all cases", () => {
    sampled((exact, at) => {
      const part = { from: 0, until: exact[0]!.length };
      const table = Array.from({ length: 12 }, (_, window) =>
        Array.from({ length: 13 }, (__, further) => at(window, further)),
      );
      const [seeds, samples] = [300, 160];
      for (const index of [0, 1, 2]) {
        const split = (bands: readonly Float64Array[]) =>
          [sum(bands.slice(0, index + 1)), sum(bands.slice(index + 1))] as const;
        const truth = exactBias(...split(exact), part);
        const halves = table.map((row) => row.map(split));
        const held = { cosine: 0, relativeError: 0, normRatio: 0 };
        for (let seed = 0; seed < seeds; seed++) {
          const draws = rng(seed, "coverage");
          const drawn = Array.from({ length: samples }, () => {
            const window = draws.integer(0, 12);
            const further = Math.log(1 - draws.uniform()) / Math.log(survival);
            return halves[window]![Math.min(12, Math.floor(further))]!;
          });
          const bias = sampledBias(
            drawn.map(([near]) => near),
            drawn.map(([, far]) => far),
            part,
          );
          for (const name of ["cosine", "relativeError", "normRatio"] as const) {
            const { low, high } = bias[name];
            const value = truth[name].value!;
            if (low! <= value && value <= (high ?? Infinity)) held[name]++;
          }
        }
        // Of 300, 285 +- 3.8: fewer than 270 have a probability below 1e-4.
        for (const [name, count] of Object.entries(held)) {
          expect(count, `${name} with k2 ${k2s[index]}`).toBeGreaterThanOrEqual(270);
        }
      }
    });
  });

  test("the whole function: intervals around the exact numbers, again from the same seed", () => {
    const { cell, params, steps } = problem(12);
    const exact = truncationBias(cell, params, steps, { k1: 1, k2: [2, 4], loss });
    const options = { k1: 1, k2: [2, 4], loss, samples: 200, horizon: 2 };
    const estimate = () => truncationBias(cell, params, steps, { ...options, draws: rng(1) });
    const { samples, biases } = estimate();
    expect(samples).toBe(200);
    for (const [i, { all, params: own }] of biases.entries()) {
      for (const name of ["cosine", "relativeError", "normRatio"] as const) {
        const { value, low, high } = all[name];
        // Within four standard errors, about.
        const distance = Math.abs(value! - exact.biases[i]!.all[name].value!);
        expect(distance).toBeLessThan(high! - low!);
        expect(low).toBeLessThanOrEqual(value!);
        expect(high).toBeGreaterThanOrEqual(value!);
      }
      expect(Object.keys(own)).toEqual(Object.keys(exact.biases[i]!.params));
    }
    expect(estimate().biases).toEqual(biases);
  });
});

describe("refusals", () => {
  const { cell, params, steps } = problem(4);
  const said = (changes: object, given = steps) => {
    const options = { k1: 1, k2: 2, loss, ...changes } as TruncationBiasOptions<{ h: never }>;
    try {
      truncationBias(cell, params, given, options as never);
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("options", () => {
    expect(said({ k2: 0 })).toMatchInlineSnapshot(
      `"truncationBias: k2 must be a whole number of steps of at least 1, got 0"`,
    );
    expect(said({ k2: [] })).toMatchInlineSnapshot(
      `"truncationBias: k2 must be a number or a list, got []"`,
    );
    expect(said({ k1: 3 })).toMatchInlineSnapshot(
      `"truncationBias: k2 must be at least k1, got k1 3 and k2 2"`,
    );
    expect(said({ k2: Infinity })).toMatchInlineSnapshot(
      `"truncationBias: k2 must be a whole number of steps of at least 1, got Infinity"`,
    );
    expect(said({ loss: 1 })).toMatchInlineSnapshot(
      `"truncationBias: loss must be a function of output and target, got 1"`,
    );
    expect(said({ losses: "window" })).toMatchInlineSnapshot(
      `"truncationBias: there is no option "losses", did you mean "loss"? It takes loss, k1, k2, samples, draws, horizon, state, rng"`,
    );
    expect(said({ sample: 3 })).toMatchInlineSnapshot(
      `"truncationBias: there is no option "sample", did you mean "samples"? It takes loss, k1, k2, samples, draws, horizon, state, rng"`,
    );
    expect(said({ draws: rng(1) })).toMatchInlineSnapshot(
      `"truncationBias: draws is for samples, and without them the bias is exact; give samples, or leave draws out"`,
    );
    expect(said({ samples: 3 })).toMatchInlineSnapshot(
      `"truncationBias: samples must be a whole number of at least 64, for an interval, got 3"`,
    );
    expect(said({ samples: 100 })).toMatchInlineSnapshot(
      `"truncationBias: samples need draws, a generator such as rng(1), got undefined"`,
    );
    expect(said({ samples: 100, draws: rng(1), horizon: 0 })).toMatchInlineSnapshot(
      `"truncationBias: horizon must be a number of steps greater than 0, got 0"`,
    );
  });

  test("streams and losses", () => {
    expect(said({}, [])).toMatchInlineSnapshot(`"truncationBias: the stream has no steps"`);
    expect(said({ loss: () => null })).toMatchInlineSnapshot(
      `"truncationBias: the loss is null at all 4 steps, so there is no gradient to be biased; give a stream with losses"`,
    );
    expect(said({ loss: () => null, samples: 64, draws: rng(1) })).toMatchInlineSnapshot(
      `"truncationBias: the loss is null at every step of the 64 windows drawn, so there is no gradient to be biased; give a stream with losses"`,
    );
    expect(said({ loss: (y: Tensor) => y.div(0) })).toMatchInlineSnapshot(
      `"truncationBias: the loss of step 4 is Infinity; forward: its output holds Infinity at [0,0]: div [1,2] [] -> [1,2] (entry 5), time step 4; a, from tanh, entry 4 is 0.7130288406688803 there; the constant b is 0 there"`,
    );
    expect(
      said({}, { [Symbol.asyncIterator]: () => steps[Symbol.iterator]() } as never),
    ).toMatchInlineSnapshot(
      `"truncationBias: the stream is asynchronous; collect the steps to look at first, as in await Array.fromAsync(stream)"`,
    );
  });
});

test("the bias is the same at any scale of the loss", () => {
  const { cell, params, steps } = problem(40);
  const of = (scale: number, options = {}) => {
    const scaled = (y: Tensor, target: Tensor) => loss(y, target).mul(scale);
    const given = { k1: 1, k2: 2, loss: scaled, ...options };
    const { relativeError, cosine } = truncationBias(cell, params, steps, given).biases[0]!.all;
    return [relativeError.value!, relativeError.high!, cosine.value!];
  };
  for (const sampled of [false, true]) {
    const options = () => (sampled ? { samples: 64, draws: rng(1) } : {});
    const expected = of(1, options());
    for (const power of [-600, 560]) {
      for (const [i, value] of of(2 ** power, options()).entries()) {
        expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-12);
      }
    }
  }
});
