import { type Backend, createBackend, type FloatDType, scope, tensor } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  type GradientTransformation,
  rmsprop,
  rng,
  sgd,
} from "../../src/index.ts";
import { type Addresses, type Chain, chains } from "./chain.ts";
import { Run } from "./run.ts";
import { Vectors } from "./vectors.ts";

const rate = fc.constantFrom(0.1, 0.003);
const decay = fc.constantFrom(0, 0.01);
const adamOptions = fc.record({
  learningRate: rate,
  beta1: fc.constantFrom(0.9, 0),
  beta2: fc.constantFrom(0.999, 0.5),
  epsilon: fc.constantFrom(1e-8, 0.1),
  weightDecay: decay,
  amsgrad: fc.boolean(),
});

interface Subject {
  readonly optimizer: GradientTransformation<unknown>;
  readonly chain: Chain;
  readonly rate: number;
  readonly moments: readonly string[];
}

/** Optimizers beside their chains, for any options. */
const subjects: Readonly<Record<string, fc.Arbitrary<() => Subject>>> = {
  sgd: fc
    .record({
      learningRate: rate,
      weightDecay: decay,
      momentum: fc.constantFrom(0, 0.9),
      dampening: fc.constantFrom(0, 0.25),
      nesterov: fc.boolean(),
    })
    .map((drawn) => () => {
      const nesterov = drawn.nesterov && drawn.momentum > 0 && drawn.dampening === 0;
      const options = { ...drawn, nesterov };
      const moments = ["momentum"];
      const { learningRate } = options;
      return { optimizer: sgd(options), chain: chains.sgd(options), rate: learningRate, moments };
    }),
  ...Object.fromEntries(
    (
      [
        ["adam", adam],
        ["adamW", adamW],
      ] as const
    ).map(([name, make]) => [
      name,
      adamOptions.map((options) => () => ({
        optimizer: make(options),
        chain: chains[name](options),
        rate: options.learningRate,
        moments: ["m", "rms", "largest"],
      })),
    ]),
  ),
  rmsprop: fc
    .record({
      learningRate: rate,
      weightDecay: decay,
      smoothing: fc.constantFrom(0.99, 0),
      epsilon: fc.constantFrom(1e-8, 0.1),
      momentum: fc.constantFrom(0, 0.9),
      centered: fc.boolean(),
    })
    .map((options) => () => ({
      optimizer: rmsprop(options),
      chain: chains.rmsprop(options),
      rate: options.learningRate,
      moments: ["rms", "mean", "momentum", "half"],
    })),
  adagrad: fc
    .record({
      learningRate: rate,
      weightDecay: decay,
      learningRateDecay: fc.constantFrom(0, 0.5),
      epsilon: fc.constantFrom(1e-10, 0.1),
    })
    .map((options) => () => ({
      optimizer: adagrad(options),
      chain: chains.adagrad(options),
      rate: options.learningRate,
      moments: ["size"],
    })),
};

const updates = 3;

/** The parameter after some updates by the chain. */
function chained(
  { chain, rate: learningRate, moments }: Subject,
  backend: Backend,
  dtype: FloatDType,
  start: Float64Array,
  gradients: readonly Float64Array[],
): number[] {
  const n = start.length;
  const size = dtype === "float32" ? 4 : 8;
  const { memory } = backend;
  const vectors = new Vectors(backend, dtype);
  vectors.n = n;
  const names = ["w", "g", "update", "s", "u", ...moments];
  const at = Object.fromEntries(names.map((name) => [name, memory.allocate(n * size)]));
  const put = (name: string, values: ArrayLike<number>) =>
    memory.views[dtype].set(values, at[name]! / size);
  const take = (name: string) => {
    const first = at[name]! / size;
    return Array.from(memory.views[dtype].subarray(first, first + n));
  };
  for (const moment of moments) put(moment, new Float64Array(n));
  put("w", start);
  for (const [done, g] of gradients.entries()) {
    put("g", g);
    chain(vectors, at as Addresses, learningRate, done + 1);
    vectors.add(at.w!, at.update!, at.w!);
  }
  const result = take("w");
  for (const name of names) memory.release(at[name]!, n * size);
  return result;
}

const backends: readonly (readonly [string, Backend, readonly FloatDType[]])[] = [
  ["simd-plain", createBackend({ kernels: "simd-plain" }), ["float32", "float64"]],
  ["simd-relaxed", createBackend({ kernels: "simd-relaxed" }), ["float32", "float64"]],
];

describe.each(backends)("%s kernels", (_, backend, dtypes) => {
  test.each(Object.entries(subjects))(
    "one kernel of %s has the bits of its chain of vector operations",
    (_name, subject) => {
      const size = fc.oneof(fc.integer({ min: 0, max: 19 }), fc.constantFrom(2047, 4101));
      const dtype = fc.constantFrom(...dtypes);
      fc.assert(
        fc.property(subject, size, dtype, fc.nat(1000), (make, n, type, seed) => {
          scope(() => {
            const random = rng(seed);
            const numbers = () => Float64Array.from({ length: n }, () => random.normal());
            const [start, gradients] = [numbers(), Array.from({ length: updates }, numbers)];
            const on = { dtype: type, backend } as const;
            const { optimizer, ...rest } = make();
            let w = tensor(start, on);
            const run = new Run(optimizer);
            for (const g of gradients) w = run.update(w, tensor(g, on));
            const expected = chained({ optimizer, ...rest }, backend, type, start, gradients);
            expect(w.toTypedArray().every((x, i) => Object.is(x, expected[i]))).toBe(true);
          });
        }),
        { numRuns: 60 },
      );
    },
  );
});
