import { grad, type Tensor, tensor, tree, where } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import {
  elman,
  gru,
  initialParams,
  initialState,
  learnedState,
  lstm,
  stacked,
  truncated,
  unroll,
  variationalDropout,
  weightDrop,
  zoneout,
} from "@chronograd/rnn";
import { cellLaws } from "@chronograd/rnn/testing";
import { noiseOf, noiseRows, noisyCells, takingNoise } from "../packages/rnn/tests/models/noisy.ts";
import { plain } from "../packages/rnn/tests/models/setup.ts";
import { normal } from "./blocks.ts";
import { law } from "./refusals.ts";
import type { Subject } from "./subject.ts";
import { type Tally, values } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

const sizes = { input: 2, hidden: 3 };
const inner = lstm(sizes);

/** Parameters or a state, float64 and random in every element. */
function around<T>(initial: T, random: Rng): T {
  return tree.map(initial, (x: Tensor) =>
    x.dtype === "int32" ? x : x.add(normal(random, x.shape).mul(0.5)),
  ) as T;
}

/** A random mask of 0 and `high`. */
function maskOf(random: Rng, shape: readonly number[], high: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, () => (random.uniform() < 0.5 ? 0 : high)),
    { shape },
  );
}

function given(random: Rng) {
  return {
    params: around(initialParams(inner, random, { dtype: "float64" }), random),
    x: normal(random, [2, 2]),
    state: { h: normal(random, [2, 3]), c: normal(random, [2, 3]) },
  };
}

const variational = law(
  "masks",
  "a step sees its input and its state through the masks, and hands on what it computed",
  (random, tally) => {
    const { params, x, state } = given(random);
    const [input, h] = [maskOf(random, [2, 2], 2), maskOf(random, [2, 3], 2)];
    const cell = variationalDropout(inner, { rate: 0.5 });
    const seen = { h: state.h.mul(h), c: state.c };
    const found = cell.step(params, x, state, { input, state: { h } });
    tally.trees(found, inner.step(params, x.mul(input), seen), "a step");
    tally.trees(cell.step(params, x, state), inner.step(params, x, state), "in evaluation");
    shares(tally, variationalDropout(lstm({ input: 50, hidden: 50 }), { rate: 0.3 }), random, 0.3);
  },
);

const weights = law(
  "masks",
  "a step uses the masked weights, one mask for all rows",
  (random, tally) => {
    const { params, x, state } = given(random);
    const U = maskOf(random, [3, 12], 2);
    const cell = weightDrop(inner, { rate: 0.5 });
    const found = cell.step(params, x, state, { params: { U } });
    tally.trees(found, inner.step({ ...params, U: params.U.mul(U) }, x, state), "a step");
    type Params = typeof params;
    const by = (step: (p: Params) => readonly [Tensor, unknown]) =>
      grad((p: Params) => step(p)[0].square().sum())(params);
    tally.trees(
      by((p) => cell.step(p, x, state, { params: { U } })),
      by((p) => inner.step({ ...p, U: p.U.mul(U) }, x, state)),
      "by",
    );
    tally.trees(cell.step(params, x, state), inner.step(params, x, state), "in evaluation");
    for (const { rows, per } of noiseOf(cell).values()) {
      tally.check(!rows && per === "window", () => `${per}, rows ${rows}`);
    }
    shares(tally, weightDrop(lstm({ input: 1, hidden: 40 }), { rate: 0.3 }), random, 0.3);
  },
);

const zoned = law(
  "masks",
  "a state leaf is the old one where the mask says so; in evaluation, the expected value",
  (random, tally) => {
    const { params, x, state } = given(random);
    const masks = { h: maskOf(random, [2, 3], 1), c: maskOf(random, [2, 3], 1) };
    const cell = zoneout(inner, { rate: { h: 0.25, c: 0.5 } });
    const [, fresh] = inner.step(params, x, state);
    const [y, next] = cell.step(params, x, state, { state: masks });
    const h = where(masks.h, state.h, fresh.h);
    tally.trees([y, next], [h, { h, c: where(masks.c, state.c, fresh.c) }], "a step");
    const [mean, expected] = cell.step(params, x, state);
    const between = (rate: number, name: "h" | "c") =>
      values(state[name]).map((old, i) => rate * old + (1 - rate) * values(fresh[name])[i]!);
    tally.bits(values(expected.h), between(0.25, "h"), "h in evaluation");
    tally.bits(values(expected.c), between(0.5, "c"), "c in evaluation");
    tally.bits(values(mean), between(0.25, "h"), "the output in evaluation");
    const wide = zoneout(lstm({ input: 1, hidden: 500 }), { rate: 0.3 });
    for (const [path, mask] of tree.leavesWithPath(noiseRows(wide as never, random, 2).drawn)) {
      const share = values(mask).reduce((a, b) => a + b) / 1000;
      tally.check(Math.abs(share - 0.3) < 6 * Math.sqrt((0.3 * 0.7) / 1000), () => {
        return `${path}: a share of ${share} is kept, expected 0.3`;
      });
    }
  },
);

/** Six standard deviations of the share that is dropped; the rest is scaled. */
function shares(tally: Tally, cell: object, random: Rng, rate: number): void {
  for (const [path, mask] of tree.leavesWithPath(noiseRows(cell as never, random, 20).drawn)) {
    const all = values(mask);
    const share = all.filter((value) => value === 0).length / all.length;
    const bound = 6 * Math.sqrt((rate * (1 - rate)) / all.length);
    tally.check(Math.abs(share - rate) < bound, () => `${path}: a share of ${share} is dropped`);
    tally.check(
      all.every((value) => value === 0 || value === 1 / (1 - rate)),
      () => `${path}: neither 0 nor 1 / (1 - rate)`,
    );
  }
}

const layers = law(
  "dropout between layers",
  "what a layer sees of the one below is masked: not its residual, nor the last output",
  (random, tally) => {
    const [lower, upper] = [elman(sizes), gru({ input: 3, hidden: 3 })];
    const [x, h] = [normal(random, [2, 2]), normal(random, [2, 3])];
    const mask = maskOf(random, [2, 3], 2);
    for (const residual of [false, true]) {
      const model = stacked([lower, upper], { dropout: 0.5, residual });
      const params = around(initialParams(model, random, { dtype: "float64" }), random);
      const noise = [undefined, { input: mask }];
      const [y] = model.step(params, x, [{ h }, { h }], noise);
      const [first] = lower.step(params[0], x, { h });
      const [second] = upper.step(params[1], first.mul(mask), { h });
      tally.bits(values(y), values(residual ? second.add(first) : second), "the output");
      const drawn = [...noiseOf(model)].map(([path, { per }]) => `${path} per ${per}`);
      tally.check(drawn.join() === "1.input per step", () => `draws ${drawn}`);
    }
  },
);

const streams = law(
  "streams",
  "a stream gives its cell the masks that it draws, those of a window at all of its steps",
  (random, tally) => {
    const name = oneOf(random, Object.keys(noisyCells));
    const cell = noisyCells[name]!;
    const params = around(initialParams(cell, random, { dtype: "float64" }), random);
    const [k1, seed] = [between(random, 1, 3), between(random, 0, 1000)];
    const steps = Array.from({ length: 7 }, () => ({
      input: normal(random, [2, 2]),
      target: normal(random, [2, 3]),
    }));
    const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
    const noise = rng(seed);
    let before: unknown;
    const withNoise = steps.map(({ input, target }, t) => {
      if (t % k1 === 0) before = undefined;
      const { drawn, rows } = noiseRows(cell, noise, 2, before);
      before = drawn;
      return { input: { x: input, noise: rows }, target };
    });
    const options = { k1, k2: k1 + between(random, 0, 2), loss };
    const expected = Array.from(
      truncated(plain(takingNoise(cell)), params, withNoise as unknown as typeof steps, options),
      ({ gradients }) => tree.map(gradients, (g: Tensor) => g.clone()),
    );
    for (const { gradients, index } of truncated(cell, params, steps, {
      ...options,
      rng: rng(seed),
    })) {
      tally.trees(gradients, expected[index], `${name}, window ${index}`);
    }
  },
);

const nested = law(
  "noise of the cell inside",
  "a wrapper whose own masks change nothing is the cell inside, with the noise of that",
  (random, tally) => {
    const { params, x, state } = given(random);
    const ones = (shape: readonly number[]) => maskOf(random, shape, 0).add(1);
    const keep = maskOf(random, [2, 3], 0);
    const inside = zoneout(inner, { rate: 0.5 });
    const own = { state: { h: maskOf(random, [2, 3], 1), c: maskOf(random, [2, 3], 1) } };
    const expected = inside.step(params, x, state, own);
    const rate = 0.5;
    for (const [name, cell, noise] of [
      ["variationalDropout", variationalDropout(inside, { rate }), { state: { h: ones([2, 3]) } }],
      ["weightDrop", weightDrop(inside, { rate }), { params: { U: ones([3, 12]) } }],
      ["zoneout", zoneout(inside, { rate }), { state: { h: keep, c: keep } }],
    ] as const) {
      tally.trees(cell.step(params, x, state, { cell: own, ...noise }), expected, name);
      const isDrawn = noiseOf(cell).has("cell.state.h");
      tally.check(isDrawn, () => `${name} does not draw the noise of the cell inside`);
    }
    const wider = learnedState(inside);
    const more = { cell: params, initial: tree.map(state, (h: Tensor) => h.slice([0])) };
    tally.trees(wider.step(more, x, state, own), expected, "learnedState");
    const lower = elman({ input: 2, hidden: 2 });
    const list = stacked([lower, inside], { dropout: 0.5 });
    const h = normal(random, [2, 2]);
    const below = around(initialParams(lower, random, { dtype: "float64" }), random);
    const [y] = lower.step(below, x, { h });
    const noise = [undefined, { cell: own, input: ones([2, 2]) }];
    const [, [, found]] = list.step([below, params], x, [{ h }, state], noise);
    tally.trees(found, inside.step(params, y, state, own)[1], "stacked");
  },
);

const learned = law(
  "states",
  "rows start from the parameters, with gradients as those of a state that is given",
  (random, tally) => {
    const cell = learnedState(inner);
    const params = around(initialParams(cell, random, { dtype: "float64" }), random);
    const inputs = normal(random, [3, 2, 2]);
    const byHand = (p: typeof params) => {
      const [h, c] = [p.initial.h.broadcastTo([2, 3]), p.initial.c.broadcastTo([2, 3])];
      return unroll(inner, p.cell, inputs, { state: { h, c } }).outputs;
    };
    const whole = (p: typeof params) => unroll(cell, p, inputs).outputs;
    tally.bits(values(whole(params)), values(byHand(params)), "outputs");
    const by = (f: typeof whole) => grad((p: typeof params) => f(p).square().sum())(params);
    tally.trees(by(whole), by(byHand), "by");
    const list = stacked([elman({ input: 2, hidden: 2 }), cell]);
    const all = around(initialParams(list, random, { dtype: "float64" }), random);
    const first = unroll(elman({ input: 2, hidden: 2 }), all[0], inputs).outputs;
    const second = unroll(cell, all[1], first).outputs;
    tally.bits(values(unroll(list, all, inputs).outputs), values(second), "in a stack");
    const start = initialState({ state: cell.state }, 1, { dtype: "float64" });
    tally.bits(values(start.h), [0, 0, 0], "the cell's own state");
  },
);

/** Cells with noise, and with an initial state that is learned. */
export function noiseSubjects(): Subject[] {
  const small = { input: 2, batch: 2, steps: 3 };
  const group = "models";
  return [
    { name: "variationalDropout", group, laws: [variational] },
    { name: "weightDrop", group, laws: [weights] },
    { name: "zoneout", group, laws: [zoned, ...cellLaws(noisyCells.zoneout!, small)] },
    { name: "dropout between layers", group, laws: [layers] },
    { name: "noise in streams", group, laws: [streams, nested] },
    { name: "learnedState", group, laws: [learned, ...cellLaws(learnedState(inner), small)] },
  ];
}
