import { ones, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { init, type Rng, rng } from "@chronograd/nn";
import { defineCell, type TimeStep, truncated } from "@chronograd/rnn";
import {
  deadUnits,
  effectiveMemory,
  gateSaturation,
  lagMatrix,
  stateGradients,
} from "@chronograd/rnn/flow";
import { cellTable } from "@chronograd/rnn/testing";
import {
  loss,
  mean,
  type Problem,
  present,
  problem,
  recorded,
  rowNorms,
} from "../packages/rnn/tests/flow/setup.ts";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

/** A built-in cell and a stretch with marks. */
function drawn(random: Rng): { readonly name: string; readonly given: Problem } {
  const { name } = oneOf(random, cellTable());
  const isMarked = random.uniform() < 0.7;
  return { name, given: problem(name, between(random, 7, 10), random.integer(0, 1e6), isMarked) };
}

const reaches: Law = {
  name: "lag matrix",
  statement:
    "|dl_s / dh_(s - tau)| of every loss and lag is that of one tape over all steps, under any marks",
  bound: 1e-11,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "lag matrix");
    const { name, given } = drawn(random);
    const { cell, params, state, steps } = given;
    const lags = between(random, 1, 6);
    const { matrix } = lagMatrix(cell, params, steps, { loss, lags, state });
    const { tape, states, losses } = recorded(given);
    for (const [i, step] of steps.entries()) {
      const [s, rows] = [i + 1, present(step)];
      if (rows.length === 0) {
        tally.check(matrix[i] === null, () => `${name}: step ${s} has no row, and a loss`);
        continue;
      }
      for (let tau = 1; tau <= Math.min(s, lags); tau++) {
        const cotangent = ones([3], { dtype: "float64" });
        const norms = rowNorms(tape.gradient(losses[i]!, states[s - tau], { cotangent }));
        const expected = mean(rows.map((row) => norms[row]!));
        tally.number(matrix[i]![tau]!, expected, () => `${name}: step ${s}, lag ${tau}`);
      }
    }
    return tally;
  },
};

const arrives: Law = {
  name: "state gradients",
  statement: "dL / dh_t is that of one tape, by row and by leaf, and of a window that is measured",
  bound: 1e-11,
  measure(seed) {
    const tally = new Tally();
    const { name, given } = drawn(rng(seed, "state gradients"));
    const { cell, params, state, steps } = given;
    const found = stateGradients(cell, params, steps, { loss, state });
    const { tape, states, losses } = recorded(given);
    const cotangent = losses.map(({ shape }) => ones(shape, { dtype: "float64" }));
    for (const [t, at] of states.slice(0, -1).entries()) {
      const gradient = tape.gradient(losses, at, { cotangent });
      for (const [row, norm] of rowNorms(gradient).entries()) {
        tally.number(found.byRow[row]![t]!, norm, () => `${name}: row ${row} after step ${t}`);
      }
      for (const [path, x] of tree.leavesWithPath(gradient)) {
        const norm = Math.hypot(...x.toTypedArray());
        tally.number(found.byLeaf[path]![t]!, norm, () => `${name}: ${path} after step ${t}`);
      }
    }
    const options = { k1: steps.length, k2: steps.length, loss, state, measure: () => true };
    const [window] = truncated(cell, params, steps as TimeStep[], options);
    tally.list(found.norms, window!.stateGradientNorms!, `${name}: of a window`);
    return tally;
  },
};

const unseen: Law = {
  name: "observers",
  statement: "instruments beside a stream change no bit of any gradient",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const { name, given } = drawn(rng(seed, "observers"));
    const { cell, params, state } = given;
    const steps = given.steps as TimeStep[];
    const run = (observe: (start: number, end: number) => void): number[][] => {
      const windows = truncated(cell, params, steps, { k1: 3, k2: 5, loss, state });
      return Array.from(windows, ({ gradients, start, end }) => {
        observe(start, end);
        return tree.leaves(gradients).flatMap((g: Tensor) => Array.from(g.toTypedArray()));
      });
    };
    const observed = run((start, end) => {
      const window = steps.slice(start, end);
      stateGradients(cell, params, window, { loss, state });
      lagMatrix(cell, params, window, { loss, lags: 1, state });
      gateSaturation(cell, params, window, { state });
      effectiveMemory(cell, params, window, { state });
      deadUnits(cell, params, window, { state });
    });
    for (const [i, plain] of run(() => {}).entries()) {
      tally.bits(observed[i]!, plain, `${name}: window ${i}`);
    }
    return tally;
  },
};

/** x_t = a x_{t-1}, whose derivative by the state tau steps before is a^tau. */
const line = defineCell({
  params: () => ({ a: init.ones(1) }),
  state: () => ({ x: init.ones(1) }),
  step: ({ a }, _: Tensor, { x }) => {
    const next = a.mul(x);
    return [next, { x: next }];
  },
})({ input: 1, hidden: 1 });

const falls: Law = {
  name: "decay and reach",
  statement:
    "of x_t = a x_(t-1): the rate is a, lags above hold a^(lags + 1), and 1 - a^k is held by k steps",
  bound: 1e-9,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "decay and reach");
    const a = 0.1 + 0.8 * random.uniform();
    const lags = between(random, 3, 12);
    const inputs = ones([lags + between(random, 1, 9), 2, 1], { dtype: "float64" });
    const params = { a: tensor([a], { dtype: "float64" }) };
    const found = lagMatrix(
      line,
      params,
      { inputs, targets: inputs },
      {
        loss: (x: Tensor) => x.sum(),
        lags,
      },
    );
    const where = () => `a = ${a}, ${lags} lags`;
    const powers = found.mean.map((_, tau) => a ** tau);
    tally.list(found.mean, powers, where());
    tally.number(found.decay!.rate, a, where);
    tally.number(found.tail!, a ** (lags + 1), where);
    for (const { share, steps } of found.reach) {
      const k = Math.ceil(Math.log(1 - share) / Math.log(a));
      tally.check(steps === (k <= lags + 1 ? k : null), () => `${where()}: ${share} by ${steps}`);
    }
    const { leaves } = effectiveMemory(line, params, { inputs });
    tally.number(leaves[0]!.timescale[0]!, -1 / Math.log(a), where);
    return tally;
  },
};

/** Two leaves of which one is made of the other; a step returns them in either order. */
const pair = (isTurned: boolean) =>
  defineCell({
    params: () => ({ w: init.ones() }),
    state: () => ({ a: init.ones(2), b: init.zeros(2) }),
    step: ({ w }, x: Tensor, { a, b }) => {
      const [next, memory] = [a.mul(w).add(b.mul(x)).tanh(), b.mul(0.9).add(a.square())];
      return [next, isTurned ? { b: memory, a: next } : { a: next, b: memory }];
    },
  })({ input: 2, hidden: 2 });

const order: Law = {
  name: "order of leaves",
  statement: "nothing depends on the order in which a step returns the leaves of its state",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "order of leaves");
    const elements = Float64Array.from({ length: 12 }, () => random.normal());
    const inputs = tensor(elements, { shape: [6, 1, 2] });
    const params = { w: tensor([random.uniform()], { dtype: "float64" }) };
    const stream = { inputs, targets: inputs };
    const [straight, turned] = [false, true].map((isTurned) => {
      const options = { loss: (x: Tensor) => x.sum() };
      const { matrix } = lagMatrix(pair(isTurned), params, stream, { ...options, lags: 4 });
      const { norms, byLeaf } = stateGradients(pair(isTurned), params, stream, options);
      const { leaves } = effectiveMemory(pair(isTurned), params, stream);
      const factors = leaves.flatMap(({ factor }) => factor);
      const lags = matrix.flatMap((row) => row ?? []);
      return [...lags, ...norms, ...byLeaf.a!, ...byLeaf.b!, ...factors];
    });
    tally.bits(turned!, straight!, "norms");
    return tally;
  },
};

/** Instruments of gradients in time. */
export function lagSubject(): Subject {
  return {
    name: "gradients in time",
    group: "flow",
    laws: [reaches, arrives, unseen, falls, order],
  };
}
