import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { applyUpdates, init, type Rng, rng } from "@chronograd/nn";
import { defineCell, initialParams, type Noise, truncated, unroll } from "@chronograd/rnn";
import { numbers, values } from "../tally.ts";
import { between, oneOf } from "../truncation/problem.ts";
import { int32, losses } from "./alone.ts";
import { law } from "./streams.ts";

const float64 = { dtype: "float64" } as const;
const family = { params: () => ({ w: init.normal(1, 3, 3) }), state: () => ({ h: init.zeros(3) }) };

function next({ w }: { w: Tensor }, x: Tensor, h: Tensor, a: Tensor, b: Tensor) {
  const y = h.matmul(w).add(x).tanh().mul(a).add(b);
  return [y, { h: y }] as const;
}

type Inputs = { x: Tensor; a: Tensor; b: Tensor };

/** The same cell with its noise as an input. */
const told = defineCell({
  ...family,
  step: (params, { x, a, b }: Inputs, { h }) => next(params, x, h, a, b),
})({ input: 3, hidden: 3 });

const normal = (random: Rng, size: number): Float64Array =>
  Float64Array.from({ length: size }, () => random.normal());

const drawnInOrder = law(
  "noise",
  "a cell that draws noise gives what it gives with these draws as inputs: in the order of time, anew for each window or step, and the same in the overlap",
  1e-12,
  ({ random, T, B, mask, resets, burnIn, options }, tally) => {
    const spec = (size: number, shape: readonly number[]): Noise => ({
      shape,
      per: oneOf(random, ["window", "step"] as const),
      rows: oneOf(random, [true, false]),
      draw: (own) => normal(own, size),
    });
    const specs = { a: spec(3, [3]), b: spec(1, [1]) };
    const cell = defineCell({
      ...family,
      noise: () => specs,
      step: (params, x: Tensor, { h }, _sizes, noise) => next(params, x, h, noise!.a, noise!.b),
    })({ input: 3, hidden: 3 });
    const params = initialParams(cell, random.split("params"), float64);
    const steps = Array.from({ length: T }, (_, t) => ({
      input: tensor(normal(random, 3 * B), { shape: [B, 3] }),
      target: tensor(normal(random, 3 * B), { shape: [B, 3] }),
      mask: int32(mask[t]!),
      reset: int32(resets[t]!),
    }));
    const seed = between(random, 1, 1000);
    const { k1 } = options;
    const withDraws = (isFirst: (t: number) => boolean) => {
      const own = rng(seed, "noise");
      const kept = new Map<string, Tensor>();
      return steps.map(({ input: x, ...step }, i) => {
        for (const [name, { per, rows, draw, shape }] of Object.entries(specs)) {
          if (per === "window" && !isFirst(i + 1)) continue;
          const all = Array.from({ length: rows ? B : 1 }, () => [...draw(own)]).flat();
          const ofAll = tensor(Float64Array.from(all), { shape: rows ? [B, ...shape] : shape });
          kept.set(name, ofAll.broadcastTo([B, ...shape]));
        }
        return { ...step, input: { x, a: kept.get("a")!, b: kept.get("b")! } };
      });
    };
    const run = (
      make: (
        weights: () => typeof params,
      ) => Iterable<{ gradients: object; losses: readonly number[] }>,
    ) => {
      let now = tree.map(params, (x: Tensor) => x.clone()) as typeof params;
      const found: number[] = [];
      for (const { gradients, losses: each } of make(() => now)) {
        found.push(...Object.values(numbers(gradients)).flatMap((g) => Array.from(g)), ...each);
        const step = tree.map(gradients, (g: Tensor) => g.mul(-0.01)) as typeof params;
        now = applyUpdates(now, step);
      }
      return found;
    };
    const { state: _, ...modes } = options;
    const cut = { ...modes, burnIn, loss: losses };
    const drawn = run((weights) =>
      truncated(cell, weights, steps, { ...cut, rng: rng(seed, "noise") }),
    );
    const isFirst = (t: number) => t === 1 || (t > burnIn && (t - burnIn - 1) % k1 === 0);
    const expected = run((weights) => truncated(told, weights, withDraws(isFirst), cut));
    const about = JSON.stringify({ T, B, burnIn, options, specs });
    tally.list(drawn, expected, `${about}: windows`);
    const xs = steps.map(({ input }) => input);
    const one = unroll(cell, params, xs, { rng: rng(seed, "noise") });
    const inputs = withDraws((t) => t === 1).map(({ input }) => input);
    const other = unroll(told, params, inputs);
    tally.list(values(one.outputs), values(other.outputs), `${about}: outputs of unroll`);
  },
);

export const noiseLaws: readonly Law[] = [drawnInOrder];
