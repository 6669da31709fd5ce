// What dropout, zoneout and dropped weights do to a step, number by number.
import { grad, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  bidirectional,
  elman,
  gru,
  lstm,
  stacked,
  unroll,
  variationalDropout,
  weightDrop,
  zoneout,
} from "../../src/index.ts";
import type { SomeCell } from "../../src/testing.ts";
import { numbers } from "../truncated/setup.ts";
import { noiseOf, noiseRows } from "./noisy.ts";
import { bits, normal, paramsOf, plain } from "./setup.ts";

describe("dropout", () => {
  const cell = elman({ input: 2, hidden: 3 });
  const [x, h] = [normal([1, 2], 1), normal([1, 3], 2)];

  /** The mean over many draws of what a cell without a nonlinearity sees. */
  const meanOf = (noisy: SomeCell, draws: number) => {
    const params = paramsOf(noisy, 1);
    const random = rng(3);
    const sums = new Float64Array(3);
    for (let n = 0; n < draws; n++) {
      scope(() => {
        const [y] = noisy.step(
          params as never,
          x as never,
          { h } as never,
          noiseRows(noisy, random, 1).drawn,
        );
        (y as Tensor).toTypedArray().forEach((value, i) => {
          sums[i]! += value / draws;
        });
      });
    }
    const [expected] = noisy.step(params as never, x as never, { h } as never);
    return { found: sums, expected: (expected as Tensor).toTypedArray() };
  };
  const sum = {
    params: cell.params,
    state: cell.state,
    input: [2],
    step: ({ W, U, b }: Record<"W" | "U" | "b", Tensor>, input: Tensor, state: { h: Tensor }) => {
      const next = input.matmul(W).add(state.h.matmul(U)).add(b);
      return [next, { h: next }];
    },
  };

  test.each([
    ["variational", (rate: number) => variationalDropout(sum as never, { rate })],
    ["of weights", (rate: number) => weightDrop(sum as never, { rate })],
    ["zoneout", (rate: number) => zoneout(sum as never, { rate })],
  ] as const)("%s has the expected value of evaluation", (_, make) => {
    for (const rate of [0.1, 0.5]) {
      const draws = 4000;
      const { found, expected } = meanOf(plain(make(rate)), draws);
      // Ten standard deviations of a mean of numbers of about this size.
      const bound = 10 * 3 * Math.sqrt(rate / (1 - rate) / draws);
      for (const [i, value] of found.entries()) {
        expect(Math.abs(value - expected[i]!)).toBeLessThan(bound);
      }
    }
  });

  test("the share of what is dropped is the rate, and the rest is scaled", () => {
    const noisy = plain(variationalDropout(lstm({ input: 1, hidden: 10_000 }), { rate: 0.3 }));
    const { drawn } = noiseRows(noisy, rng(1), 1);
    const mask = numbers(drawn)["state.h"]!;
    const dropped = mask.filter((value) => value === 0).length;
    // Six standard deviations, sqrt(n p (1 - p)) each.
    expect(Math.abs(dropped - 3000)).toBeLessThan(6 * Math.sqrt(10_000 * 0.3 * 0.7));
    expect(new Set(mask)).toEqual(new Set([0, 1 / 0.7]));
  });

  test("masks of an input and of a state are what the step sees", () => {
    const noisy = variationalDropout(lstm({ input: 2, hidden: 3 }), { rate: 0.5 });
    const inner = lstm({ input: 2, hidden: 3 });
    const params = paramsOf(inner, 1);
    const state = { h, c: normal([1, 3], 5) };
    const noise = { input: tensor([[0, 2]], { dtype: "float64" }), state: { h: h.sign() } };
    const found = noisy.step(params, x, state, noise);
    const seen = { h: h.mul(h.sign()), c: state.c };
    expect(bits(found)).toEqual(bits(inner.step(params, x.mul(noise.input), seen)));
  });

  test("masks of weights are what the step sees", () => {
    const inner = gru({ input: 2, hidden: 3 });
    const noisy = weightDrop(inner, { rate: 0.5, names: ["U", "W"] });
    const params = paramsOf(inner, 1);
    const masks = { U: normal([3, 9], 5), W: normal([2, 9], 6) };
    const found = noisy.step(params, x, { h }, { params: masks });
    const [U, W] = [params.U.mul(masks.U), params.W.mul(masks.W)];
    expect(bits(found)).toEqual(bits(inner.step({ ...params, U, W }, x, { h })));
  });

  test("between layers is not after the last, nor on a residual", () => {
    const [lower, upper] = [elman({ input: 2, hidden: 3 }), gru({ input: 3, hidden: 3 })];
    const mask = normal([1, 3], 7);
    for (const residual of [false, true]) {
      const model = stacked([lower, upper], { dropout: 0.5, residual });
      const params = paramsOf(model, 1);
      const [y] = model.step(params, x, [{ h }, { h }], [undefined, { input: mask }]);
      const [first] = lower.step(params[0], x, { h });
      const [second] = upper.step(params[1], first.mul(mask), { h });
      expect(bits(y)).toEqual(bits(residual ? second.add(first) : second));
      expect([...noiseOf(model).keys()]).toEqual(["1.input"]);
    }
  });
});

describe("zoneout", () => {
  const inner = lstm({ input: 2, hidden: 3 });
  const params = paramsOf(inner, 1);
  const x = normal([2, 2], 1);
  const state = { h: normal([2, 3], 2), c: normal([2, 3], 3) };

  test("keeps the old state where the mask says so, and puts it out", () => {
    const cell = zoneout(inner, { rate: 0.5 });
    const mask = tensor(
      [
        [1, 0, 1],
        [0, 0, 1],
      ],
      { dtype: "float64" },
    );
    const [y, next] = cell.step(params, x, state, { state: { h: mask, c: mask } });
    const [, fresh] = inner.step(params, x, state);
    const pick = (name: "h" | "c") =>
      bits(mask).map((keep, i) => bits((keep === 1 ? state : fresh)[name])[i]);
    expect(bits(next.h)).toEqual(pick("h"));
    expect(bits(next.c)).toEqual(pick("c"));
    expect(bits(y)).toEqual(pick("h"));
  });

  test("of rate 1 keeps the state, with noise and without", () => {
    const cell = zoneout(inner, { rate: 1 });
    const inputs = normal([4, 2, 2], 1);
    for (const random of [rng(1), null]) {
      const found = unroll(cell, params, inputs, { state, rng: random });
      expect(bits(found.state)).toEqual(bits(state));
    }
  });

  test("in evaluation is the expected value", () => {
    const cell = zoneout(inner, { rate: { h: 0.25, c: 0.5 } });
    const [, next] = cell.step(params, x, state);
    const [, fresh] = inner.step(params, x, state);
    const [h, c] = [next.h, next.c].map(bits);
    const expected = (name: "h" | "c", rate: number) =>
      bits(state[name]).map((old, i) => rate * old + (1 - rate) * bits(fresh[name])[i]!);
    expect(h).toEqual(expected("h", 0.25));
    expect(c).toEqual(expected("c", 0.5));
  });
});

describe("a rate of 0", () => {
  const inner = lstm({ input: 2, hidden: 3 });

  test.each([
    ["variational dropout", variationalDropout(inner, { rate: 0 })],
    ["zoneout", zoneout(inner, { rate: 0 })],
    ["weight drop", weightDrop(inner, { rate: 0 })],
  ])("%s is the plain cell, bit by bit, and draws nothing", (_, cell) => {
    const params = paramsOf(inner, 1);
    const inputs = normal([4, 2, 2], 1);
    const random = rng(1);
    const before = JSON.stringify(random.getState());
    const found = unroll(cell, params, inputs, { rng: random });
    expect(bits(found.outputs)).toEqual(bits(unroll(inner, params, inputs).outputs));
    expect(JSON.stringify(random.getState())).toBe(before);
    expect(noiseOf(cell).size).toBe(0);
    expect(bits(unroll(cell, params, inputs).outputs)).toEqual(bits(found.outputs));
  });
});

describe("over whole sequences", () => {
  const both = () => bidirectional(lstm({ input: 2, hidden: 2 }));
  const upper = bidirectional(gru({ input: 4, hidden: 2 }));

  test("dropout before a bidirectional layer masks what both directions see", () => {
    for (const per of ["step", "window"] as const) {
      const model = stacked([both(), upper], { dropout: 0.5, per });
      const params = paramsOf(model, 1);
      const inputs = normal([3, 2, 2], 1);
      const found = unroll(model, params, inputs, { rng: rng(4) });
      const random = rng(4);
      const draw = () => Float64Array.from({ length: 8 }, () => (random.bits() < 2 ** 31 ? 0 : 2));
      const masks: Tensor[] = [];
      for (let t = 0; t < 3; t++) {
        const values = t > 0 && per === "window" ? masks[0]!.toTypedArray() : draw();
        masks.push(tensor(Float64Array.from(values), { shape: [2, 4] }));
      }
      const one = unroll(both(), params[0], inputs);
      const seen = masks.map((mask, t) => one.outputs.slice([t]).mul(mask));
      const two = unroll(upper, params[1], seen);
      expect(bits(found.outputs)).toEqual(bits(two.outputs));
      expect(() => unroll(model, params, inputs)).toThrow(/^unroll: the model draws noise/);
      const evaluated = unroll(model, params, inputs, { rng: null });
      expect(bits(evaluated.outputs)).toEqual(bits(unroll(upper, params[1], one.outputs).outputs));
    }
  });

  test("each direction draws its own noise", () => {
    const cell = zoneout(elman({ input: 2, hidden: 2 }), { rate: 0.5 });
    const model = bidirectional(cell);
    const params = paramsOf(model, 1);
    const inputs = normal([3, 2, 2], 1);
    const found = unroll(model, params, inputs, { rng: rng(4) });
    const random = rng(4);
    const there = unroll(cell, params.forward, inputs, { rng: random });
    const back = unroll(cell, params.backward, inputs, { rng: random, reverse: true });
    expect(bits(found.state)).toEqual(bits([there.state, back.state]));
    expect(() => unroll(model, params, inputs)).toThrow(/^unroll: the model draws noise/);
  });

  test("gradients flow through masks as through the numbers that they are", () => {
    const model = stacked([both(), upper], { dropout: 0.5, residual: true });
    const params = paramsOf(model, 1);
    const inputs = normal([3, 2, 2], 1);
    const f = (p: typeof params) =>
      unroll(model, p, inputs, { rng: rng(4) })
        .outputs.square()
        .sum();
    const g = grad(f)(params);
    const eps = 1e-6;
    const moved = (by: number) =>
      f(tree.zip(params, g, (w, d) => w.add(d.mul(by))) as typeof params).item();
    const numeric = (moved(eps) - moved(-eps)) / (2 * eps);
    const square = tree.leaves(g).reduce((sum, d) => sum + d.square().sum().item(), 0);
    expect(Math.abs(numeric - square) / square).toBeLessThan(1e-8);
  });
});
