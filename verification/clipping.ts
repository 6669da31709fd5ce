import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import {
  type ClipState,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  type GradientTransformation,
  type NormOrder,
  type Rng,
  rng,
} from "@chronograd/nn";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { type Numbers, numbers, Tally } from "./tally.ts";

type Tree = { readonly W: Tensor; readonly b: Tensor; readonly more: readonly Tensor[] };

/** Gradients of several shapes and sizes. */
function gradientsOf(random: Rng): Tree {
  return {
    W: normal(random, [3, 2]).mul(1 + 4 * random.uniform()),
    b: normal(random, [2]).mul(0.1),
    more: [normal(random, [2, 2, 2]), normal(random, [])],
  };
}

function law(name: string, statement: string, measure: (random: Rng, tally: Tally) => void): Law {
  return {
    name,
    statement,
    bound: 1e-12,
    measure: (seed) =>
      scope(() => {
        const tally = new Tally();
        for (let draw = 0; draw < 4; draw++) measure(rng(4 * seed + draw, name), tally);
        return tally;
      }),
  };
}

function normOf(parts: readonly ArrayLike<number>[], order: NormOrder): number {
  const all = parts.flatMap((part) => Array.from(part, Math.abs));
  if (order === Infinity) return Math.max(0, ...all);
  if (order === 1) return all.reduce((a, b) => a + b, 0);
  return Math.sqrt(all.reduce((sum, x) => sum + x * x, 0));
}

/** Gradients after clipping, and the norm before. */
interface Found {
  readonly gradients: unknown;
  readonly norm: number;
}

function clipped(link: GradientTransformation<ClipState>, g: unknown, params: unknown = g): Found {
  const [gradients, { norm }] = link.update(g, link.init(params), params);
  return { gradients, norm: norm.item() };
}

/** Compares with the clipped numbers that are expected, by path. */
function compare(
  found: Found,
  before: Numbers,
  after: Numbers,
  order: NormOrder,
  where: string,
  tally: Tally,
): void {
  tally.trees(found.gradients, after, `${where}: by`);
  tally.number(found.norm, normOf(Object.values(before), order), () => `${where}: norm`);
}

function scaled(g: Numbers, factor: (path: string, i: number) => number): Numbers {
  return Object.fromEntries(
    Object.entries(g).map(([path, list]) => [
      path,
      Array.from(list, (x, i) => x * factor(path, i)),
    ]),
  );
}

const orders = [1, 2, Infinity] as const;

const globalNorm = law(
  "global norm",
  "g min(1, maxNorm / |g|) with the norm of all together, in every order",
  (random, tally) => {
    const g = gradientsOf(random);
    const before = numbers(g);
    for (const order of orders) {
      for (const share of [0.3, 2]) {
        const norm = normOf(Object.values(before), order);
        const after = scaled(before, () => Math.min(1, share));
        const found = clipped(clipByGlobalNorm(share * norm, { order }), g);
        compare(found, before, after, order, `order ${order}, limit ${share} of the norm`, tally);
      }
    }
  },
);

const perParameter = law(
  "per parameter",
  "each g min(1, maxNorm / |g|) with a norm of its own, in every order",
  (random, tally) => {
    const g = gradientsOf(random);
    const before = numbers(g);
    for (const order of orders) {
      const limit = 0.2 + 2 * random.uniform();
      const after = scaled(before, (path) => Math.min(1, limit / normOf([before[path]!], order)));
      const found = clipped(clipPerParameter(limit, { order }), g);
      compare(found, before, after, order, `order ${order}, limit ${limit}`, tally);
    }
  },
);

const byValue = law("by value", "every element between -limit and limit", (random, tally) => {
  const g = gradientsOf(random);
  const before = numbers(g);
  const limit = 0.1 + random.uniform();
  const after = Object.fromEntries(
    Object.entries(before).map(([path, list]) => [
      path,
      Array.from(list, (x) => Math.min(limit, Math.max(-limit, x))),
    ]),
  );
  compare(clipped(clipByValue(limit), g), before, after, 2, `limit ${limit}`, tally);
});

const adaptive = law(
  "adaptive",
  "g of each column min(1, clipping max(|w|, epsilon) / |g|), for zero weights too",
  (random, tally) => {
    const g = gradientsOf(random);
    const params = { ...gradientsOf(random), b: tensor(new Float64Array(2)) };
    const [before, weights] = [numbers(g), numbers(params)];
    const [clipping, epsilon] = [0.1 + 0.4 * random.uniform(), 1e-3];
    const columns = new Map(
      tree.leavesWithPath(g).map(([path, { rank, shape }]) => [path, rank > 1 ? shape.at(-1)! : 1]),
    );
    const unit = (list: ArrayLike<number>, path: string, i: number) => {
      const count = columns.get(path)!;
      return Array.from(list).filter((_, k) => k % count === i % count);
    };
    const after = scaled(before, (path, i) => {
      const limit = clipping * Math.max(epsilon, normOf([unit(weights[path]!, path, i)], 2));
      return Math.min(1, limit / normOf([unit(before[path]!, path, i)], 2));
    });
    const found = clipped(clipAdaptive({ clipping, epsilon }), g, params);
    compare(found, before, after, 2, `clipping ${clipping}`, tally);
  },
);

const nonFinite = law(
  "not finite",
  'nonFinite "zero" is clipping with zeros in those places; by default an error names the parameter',
  (random, tally) => {
    const g = gradientsOf(random);
    const bad = random.integer(0, 6);
    const value = [Number.NaN, Infinity, -Infinity][random.integer(0, 3)]!;
    const elements = (with_: number) =>
      tensor(Float64Array.from(numbers(g).W!).with(bad, with_), { shape: [3, 2] });
    const [broken, mended] = [
      { ...g, W: elements(value) },
      { ...g, W: elements(0) },
    ];
    const limit = 0.5;
    const weights = tree.map(g, (w: Tensor) => w.add(1));
    const makers = {
      clipByGlobalNorm: (options: object) => clipByGlobalNorm(limit, options),
      clipPerParameter: (options: object) => clipPerParameter(limit, options),
      clipByValue: (options: object) => clipByValue(limit, options),
      clipAdaptive: (options: object) => clipAdaptive(options),
    };
    const calls = Object.entries(makers).map(
      ([name, make]) =>
        [name, (x: Tree, options: object) => clipped(make(options), x, weights)] as const,
    );
    for (const [name, call] of calls) {
      const [found, expected] = [call(broken, { nonFinite: "zero" }), call(mended, {})];
      tally.trees(found.gradients, expected.gradients, `${name}, ${value}: by`);
      tally.number(found.norm, expected.norm, () => `${name}, ${value}: norm`);
      tally.throws(() => call(broken, {}), /"W" has 1 of 6 elements/, `${name}, ${value}`);
    }
  },
);

/** At any scale: the norm is at most the limit, and the direction stays. */
const scales = law(
  "scales",
  "norms up to the largest number of the dtype and limits down to 1e-8: the bound holds, the direction stays",
  (random, tally) => {
    for (const dtype of ["float32", "float64"] as const) {
      const [low, high] = dtype === "float32" ? [-45, 38] : [-300, 307.9];
      const size = 10 ** (low + (high - low) * random.uniform());
      const limit = 10 ** (-8 + 12 * random.uniform());
      const part = () =>
        tensor(
          Float64Array.from({ length: 4 }, () => size * (random.uniform() - 0.5)),
          { dtype },
        );
      const g = { a: part(), b: part() };
      const before = ["a", "b"].flatMap((path) => Array.from(numbers(g)[path]!));
      const largest = Math.max(...before.map(Math.abs));
      const length = largest * Math.hypot(...before.map((x) => x / largest));
      for (const make of [
        clipByGlobalNorm,
        clipPerParameter,
        () => clipAdaptive({ clipping: limit / 1e-3 }),
      ]) {
        const weights = tree.map(g, (x: Tensor) => x.mul(0));
        const { gradients, norm } = clipped(make(limit), g, weights);
        if (largest === 0) continue;
        tally.number(norm / length, 1, () => `norm of ${dtype} at ${size}`);
        for (const path of ["a", "b"] as const) {
          const own = Array.from(numbers(g)[path]!);
          const after = Array.from(numbers(gradients)[path]!);
          const whole =
            make === clipByGlobalNorm
              ? length
              : Math.hypot(...own.map((x) => x / largest)) * largest;
          const expected = own.map((x) => (whole > limit ? (x / whole) * limit : x));
          // The rounding of the dtype: half a unit in the last place, or half of the smallest
          // number.
          const ulp = dtype === "float32" ? 2 ** -22 : 2 ** -48;
          const least = dtype === "float32" ? 2 ** -149 : 2 ** -1074;
          const isRight = after.every(
            (x, i) => Math.abs(x - expected[i]!) <= ulp * Math.abs(expected[i]!) + least,
          );
          tally.check(
            isRight,
            () => `${make.name} to ${limit} of ${dtype} ${own}: ${after}, expected ${expected}`,
          );
        }
      }
    }
  },
);

/** Clipping, tested against its definitions. */
export function clippingSubjects(): Subject[] {
  const laws = [globalNorm, perParameter, byValue, adaptive, nonFinite, scales];
  return [{ name: "clip", group: "clipping", laws }];
}
