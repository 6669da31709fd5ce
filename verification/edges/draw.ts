import type { FloatDType } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import { Big } from "./big.ts";

/** Exponents, precision and the largest number of a float. */
export const formats = {
  float32: { least: -149, most: 127, bits: 24, largest: Big.of((2 - 2 ** -23) * 2 ** 127) },
  float64: { least: -1074, most: 1023, bits: 53, largest: Big.of(Number.MAX_VALUE) },
} as const;

/**
 * Points per seed over all exponents, over those of moderate numbers, and beside each delicate
 * point.
 */
const counts = { all: 24, moderate: 16, near: 8 };
/** Ends of the normal and the subnormal ranges. */
const ends = [2 ** -1074, 2 ** -1022, 2 ** -149, 2 ** -126, 1];

const rounding = { float32: Math.fround, float64: (x: number) => x };

/** `m 2^k` with a random mantissa; in two factors, since the smallest powers are subnormal. */
function power(random: Rng, k: number): number {
  const half = Math.trunc(k / 2);
  return (1 + random.uniform()) * 2 ** half * 2 ** (k - half);
}

function sign(random: Rng): number {
  return random.uniform() < 0.5 ? -1 : 1;
}

/**
 * Numbers of both signs over all exponents, with the extremes, and the neighbours of some points.
 */
export function numbers(random: Rng, dtype: FloatDType, near: readonly number[]): number[] {
  const { least, most, bits, largest } = formats[dtype];
  const all = Array.from({ length: counts.all }, (_, i) => {
    const share = (i + random.uniform()) / counts.all;
    return power(random, Math.floor(least + share * (most - least)));
  });
  const moderate = Array.from({ length: counts.moderate }, () =>
    power(random, random.integer(-12, 9)),
  );
  const sizes = [...all, ...moderate, ...ends, largest.toNumber()];
  const beside = near.flatMap((x) =>
    Array.from({ length: counts.near }, () => {
      return x + sign(random) * power(random, random.integer(-bits, -3));
    }),
  );
  return [...sizes.map((x) => sign(random) * x), ...beside]
    .map(rounding[dtype])
    .filter((x) => x !== 0 && Number.isFinite(x));
}

/**
 * Pairs of numbers: some of any two sizes, some of sizes within a few binary orders, or all if they
 * are to be alike.
 */
export function pairs(random: Rng, dtype: FloatDType, areAlike: boolean): [number, number][] {
  const list = numbers(random, dtype, []);
  const others = numbers(random, dtype, []);
  return list.map((x): [number, number] => {
    if (!areAlike && random.uniform() < 0.5) {
      return [x, others[random.integer(0, others.length)]!];
    }
    const other = rounding[dtype](x * sign(random) * power(random, random.integer(-6, 7)));
    return [x, Number.isFinite(other) && other !== 0 ? other : -x];
  });
}
