import { grad, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { defineCell, initialParams, initialState, unroll, type Values } from "@chronograd/rnn";
import { cellLaws, cellTable, checkTruncated } from "@chronograd/rnn/testing";
import { formulaLaws } from "../packages/rnn/tests/formulaLaws.ts";
import { attention } from "./attention.ts";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";
import { oneOf } from "./truncation/problem.ts";

const sizes = { input: 2, hidden: 2 };
/** Of all elements of an output, which may be a tree. */
function sumOfSquares(output: unknown): Tensor {
  return tree
    .leaves(output)
    .map((y) => y.square().sum())
    .reduce((sum, each) => sum.add(each));
}

/** Every window of every mode against differences, by the check that users have. */
const surrogates: Law = {
  name: "surrogates",
  statement: "each window's gradient is that of central differences of its surrogate, in all modes",
  bound: 1e-7,
  measure(seed) {
    const random = rng(seed, "surrogates");
    const { make, input } = oneOf(random, cellTable());
    const steps = Array.from({ length: 9 }, () => ({
      input: input(random, 1),
      target: tensor(random.normal()),
    }));
    const [k1, more] = [random.integer(1, 4), random.integer(0, 4)];
    const report = checkTruncated(make(), steps, {
      k1,
      k2: k1 + more,
      seed,
      loss: (y, target) => sumOfSquares(tree.map(y, (each: Tensor) => each.sub(target))),
    });
    const worst = Math.max(...report.modes.map((mode) => mode.worst));
    const cases = report.modes.reduce((sum, mode) => sum + mode.cases, 0);
    return report.ok ? { error: worst, cases } : { error: Infinity, cases, what: String(report) };
  },
};

const starts: Law = {
  name: "initial state",
  statement:
    "every row of the first state is what the cell draws; unroll starts there unless told otherwise",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "initial state");
    const drawn = Float64Array.from({ length: 2 }, () => random.normal());
    const cell = defineCell({
      params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.5) } }),
      state: () => ({ h: { shape: [2], draw: () => drawn } }),
      step: ({ w }, x: Tensor, { h }) => {
        const next = h.mul(w).add(x).tanh();
        return [next, { h: next }];
      },
    })(sizes);
    const params = { w: tensor(0.5, { dtype: "float64" }) };
    const first = initialState(cell, 3, { dtype: "float64" });
    tally.bits(values(first.h), [...drawn, ...drawn, ...drawn], "rows of the first state");
    const inputs = normal(random, [4, 3, 2]);
    const given = { h: normal(random, [3, 2]) };
    for (const [what, state] of [
      ["the cell's", undefined],
      ["the given", given],
    ] as const) {
      let now: Values<typeof cell.state> = state ?? first;
      for (let t = 0; t < 4; t++) [, now] = cell.step(params, inputs.slice([t]), now);
      const { state: last, outputs } = unroll(
        cell,
        params,
        inputs,
        state === undefined ? {} : { state },
      );
      tally.bits(values(last.h), values(now.h), `last state from ${what} first state`);
      tally.bits(values(outputs.slice([3])), values(now.h), `last output from ${what} first state`);
    }
    return tally;
  },
};

const unrolled: Law = {
  name: "unroll gradients",
  statement: "gradients through unroll equal those step by step",
  bound: 1e-12,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "unrolled");
    const around = (x: Tensor) => x.add(normal(random, x.shape));
    for (const { name, make, input } of cellTable()) {
      const cell = make();
      const given = {
        params: tree.map(initialParams(cell, random, { dtype: "float64" }), around),
        state: tree.map(initialState(cell, 2, { dtype: "float64" }), around),
        inputs: [input(random, 2), input(random, 2), input(random, 2)],
      };
      const gradient = grad(({ params, state, inputs }: typeof given) => {
        let [now, sum] = [state, tensor(0, { dtype: "float64" })];
        for (const x of inputs) {
          const [y, next] = cell.step(params, x, now);
          now = next;
          sum = sum.mul(2).add(sumOfSquares(y));
        }
        return sum;
      });
      const through = grad(({ params, state, inputs }: typeof given) => {
        const { outputs } = unroll(cell, params, inputs, { state });
        const weights = tensor([4, 2, 1], { dtype: "float64", shape: [3, 1] }).sqrt();
        return sumOfSquares(tree.map(outputs, (y: Tensor) => y.reshape([3, -1]).mul(weights)));
      });
      tally.trees(through(given), gradient(given), `${name}: by`);
    }
    return tally;
  },
};

/** Cells, tested against the laws of every cell and against their formulas. */
export function cellSubjects(): Subject[] {
  const small = { batch: 2, steps: 3 };
  const builtIn = cellTable().map((row) => ({
    name: row.name,
    group: "cells",
    laws: [...formulaLaws(row), ...cellLaws(row.make(), { input: row.input, ...small })],
  }));
  return [
    ...builtIn,
    attention,
    { name: "first states", group: "cells", laws: [starts, unrolled] },
    { name: "truncated, by differences", group: "truncated streams", laws: [surrogates] },
  ];
}
