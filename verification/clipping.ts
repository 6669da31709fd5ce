import { flatten, map, scope, type Tensor, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import {
  type Clipped,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  type NormOrder,
  type Stream,
  stream,
} from "@chronograd/nn";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { type Numbers, numbers, Tally } from "./tally.ts";

type Tree = { readonly W: Tensor; readonly b: Tensor; readonly more: readonly Tensor[] };

/** Gradients of several shapes and sizes. */
function gradientsOf(random: Stream): Tree {
  return {
    W: normal(random, [3, 2]).mul(1 + 4 * random.uniform()),
    b: normal(random, [2]).mul(0.1),
    more: [normal(random, [2, 2, 2]), normal(random, [])],
  };
}

function law(
  name: string,
  statement: string,
  measure: (random: Stream, tally: Tally) => void,
): Law {
  return {
    name,
    statement,
    bound: 1e-12,
    measure: (seed) =>
      scope(() => {
        const tally = new Tally();
        for (let draw = 0; draw < 4; draw++) measure(stream(4 * seed + draw, name), tally);
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

/** Compares with the clipped numbers that are expected, by path. */
function compare(
  found: Clipped<unknown>,
  before: Numbers,
  after: Numbers,
  order: NormOrder,
  where: string,
  tally: Tally,
): void {
  tally.trees(found.gradients, after, `${where}: by`);
  tally.number(found.norm, normOf(Object.values(before), order), () => `${where}: norm`);
  const isChanged = Object.entries(after).some(([path, g]) =>
    Array.from(g).some((x, i) => x !== before[path]![i]),
  );
  tally.check(found.clipped === isChanged, () => `${where}: clipped is ${found.clipped}`);
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
        const found = clipByGlobalNorm(g, share * norm, { order });
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
      const found = clipPerParameter(g, limit, { order });
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
  compare(clipByValue(g, limit), before, after, 2, `limit ${limit}`, tally);
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
      flatten(g).map(([path, { rank, shape }]) => [path, rank > 1 ? shape.at(-1)! : 1]),
    );
    const unit = (list: ArrayLike<number>, path: string, i: number) => {
      const count = columns.get(path)!;
      return Array.from(list).filter((_, k) => k % count === i % count);
    };
    const after = scaled(before, (path, i) => {
      const limit = clipping * Math.max(epsilon, normOf([unit(weights[path]!, path, i)], 2));
      return Math.min(1, limit / normOf([unit(before[path]!, path, i)], 2));
    });
    const found = clipAdaptive(g, params, { clipping, epsilon });
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
    const calls = {
      clipByGlobalNorm: (x: Tree, options: object) => clipByGlobalNorm(x, limit, options),
      clipPerParameter: (x: Tree, options: object) => clipPerParameter(x, limit, options),
      clipByValue: (x: Tree, options: object) => clipByValue(x, limit, options),
      clipAdaptive: (x: Tree, options: object) =>
        clipAdaptive(
          x,
          map(g, (w: Tensor) => w.add(1)),
          options,
        ),
    };
    for (const [name, call] of Object.entries(calls)) {
      const [found, expected] = [call(broken, { nonFinite: "zero" }), call(mended, {})];
      tally.trees(found.gradients, expected.gradients, `${name}, ${value}: by`);
      tally.number(found.norm, expected.norm, () => `${name}, ${value}: norm`);
      tally.check(found.clipped, () => `${name}, ${value}: clipped is false`);
      tally.throws(() => call(broken, {}), /"W" has 1 of 6 elements/, `${name}, ${value}`);
    }
  },
);

/** Clipping held to its definitions. */
export function clippingSubjects(): Subject[] {
  const laws = [globalNorm, perParameter, byValue, adaptive, nonFinite];
  return [{ name: "clip", group: "clipping", laws }];
}
