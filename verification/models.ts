import { concat, grad, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { linear, type Rng, rng } from "@chronograd/nn";
import {
  bidirectional,
  elman,
  gru,
  initialParams,
  initialState,
  lstm,
  type Merge,
  sequential,
  stacked,
  unroll,
} from "@chronograd/rnn";
import { cellLaws } from "@chronograd/rnn/testing";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";

const sizes = { input: 2, hidden: 2 };
const small = { batch: 2, steps: 3 };

/** Parameters or states, float64 and random in every element. */
function around<T>(initial: T, random: Rng): T {
  return tree.map(initial, (x: Tensor) =>
    x.dtype === "int32" ? x : x.add(normal(random, x.shape).mul(0.5)),
  ) as T;
}

/** What each merge is, from the outputs of both directions. */
const merges: Record<Merge, (a: Tensor, b: Tensor) => Tensor> = {
  concat: (a, b) => concat([a, b], -1),
  sum: (a, b) => a.add(b),
  mean: (a, b) => a.add(b).div(2),
  product: (a, b) => a.mul(b),
};

const directions: Law = {
  name: "directions",
  statement:
    "values and gradients are those of two cells, one forwards and one in reverse, merged at each step",
  bound: 1e-12,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "directions");
    const cell = lstm(sizes);
    const start = () =>
      around(initialState({ state: cell.state }, 2, { dtype: "float64" }), random);
    for (const merge of Object.keys(merges) as Merge[]) {
      const model = bidirectional(cell, { merge });
      const given = {
        params: around(initialParams(model, random, { dtype: "float64" }), random),
        state: { forward: start(), backward: start() },
        inputs: normal(random, [4, 2, 2]),
      };
      const whole = ({ params, state, inputs }: typeof given) =>
        unroll(model, params, inputs, { state });
      const byHand = ({ params, state, inputs }: typeof given) => {
        const there = unroll(cell, params.forward, inputs, { state: state.forward });
        const back = unroll(cell, params.backward, inputs, {
          state: state.backward,
          reverse: true,
        });
        return {
          outputs: merges[merge](there.outputs, back.outputs),
          state: { forward: there.state, backward: back.state },
        };
      };
      tally.trees(whole(given), byHand(given), merge);
      const loss = (f: typeof whole) => (at: typeof given) => {
        const { outputs, state } = f(at);
        return outputs.square().sum().add(state.backward.h.sum()).add(state.forward.c.sum());
      };
      tally.trees(grad(loss(whole))(given), grad(loss(byHand))(given), `${merge}: by`);
    }
    tally.throws(
      () => {
        const model = bidirectional(cell);
        const params = initialParams(model, random, { dtype: "float64" });
        const inputs = normal(random, [2, 1, 2]);
        const { state } = unroll(model, params, inputs);
        unroll(model, params, inputs, { state });
      },
      /the backward state of bidirectional is where an earlier unroll ended/,
      "a backward state carried on",
    );
    return tally;
  },
};

const layerByLayer: Law = {
  name: "layer by layer",
  statement: "a stack with a bidirectional layer is its layers over the sequence, one by one",
  bound: 1e-12,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "layer by layer");
    const [lower, middle] = [bidirectional(gru(sizes)), elman({ input: 4, hidden: 4 })];
    const upper = bidirectional(gru({ input: 4, hidden: 2 }));
    const model = stacked([lower, middle, upper], { residual: true });
    const given = {
      params: around(initialParams(model, random, { dtype: "float64" }), random),
      state: around(initialState({ state: model.state }, 2, { dtype: "float64" }), random),
      inputs: normal(random, [4, 2, 2]),
    };
    const found = unroll(model, given.params, given.inputs, { state: given.state });
    const [p, s] = [given.params, given.state];
    const one = unroll(lower, p[0], given.inputs, { state: s[0] });
    const two = unroll(middle, p[1], one.outputs, { state: s[1] });
    const second = two.outputs.add(one.outputs);
    const three = unroll(upper, p[2], second, { state: s[2] });
    const outputs = three.outputs.add(second);
    tally.trees(found, { outputs, state: [one.state, two.state, three.state] }, "a stack");
    return tally;
  },
};

const byHand: Law = {
  name: "by hand",
  statement: "a step is that of each layer in turn, its input added where residuals are asked for",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "by hand");
    const layers = [lstm(sizes), gru(sizes), elman(sizes)] as const;
    for (const residual of [false, true]) {
      const model = stacked(layers, { residual });
      const params = around(initialParams(model, random, { dtype: "float64" }), random);
      const state = around(initialState({ state: model.state }, 2, { dtype: "float64" }), random);
      const x = normal(random, [2, 2]);
      const [y, next] = model.step(params, x, state);
      const [one, h0] = layers[0].step(params[0], x, state[0]);
      const [own1, h1] = layers[1].step(params[1], one, state[1]);
      const two = residual ? own1.add(one) : own1;
      const [own2, h2] = layers[2].step(params[2], two, state[2]);
      const three = residual ? own2.add(two) : own2;
      tally.bits(values(y), values(three), "the output");
      tally.trees(next, [h0, h1, h2], "the state");
    }
    return tally;
  },
};

/** What is made from cells, under the laws of every cell and against what it is made of. */
export function modelSubjects(): Subject[] {
  const named = sequential({
    lower: gru(sizes),
    upper: elman(sizes),
    head: linear({ input: 2, output: 3 }),
  });
  const list = stacked([gru(sizes), elman(sizes)], { residual: true });
  return [
    { name: "sequential", group: "models", laws: cellLaws(named, { input: 2, ...small }) },
    {
      name: "stacked",
      group: "models",
      laws: [byHand, layerByLayer, ...cellLaws(list, { input: 2, ...small })],
    },
    { name: "bidirectional", group: "models", laws: [directions] },
  ];
}
