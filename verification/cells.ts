import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { linear, rng } from "@chronograd/nn";
import {
  defineCell,
  elman,
  gru,
  gruResetBefore,
  initialState,
  lstm,
  sequential,
  unroll,
  type Values,
} from "@chronograd/rnn";
import { cellLaws, checkTruncated } from "@chronograd/rnn/testing";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { numbers, Tally, values } from "./tally.ts";

const sizes = { input: 2, hidden: 2 };
const cells = {
  elman: elman(sizes),
  "elman with relu": elman({ ...sizes, activation: "relu" }),
  lstm: lstm(sizes),
  gru: gru(sizes),
  gruResetBefore: gruResetBefore(sizes),
  sequential: sequential({
    lower: gru(sizes),
    upper: elman(sizes),
    head: linear({ inputs: 2, outputs: 3 }),
  }),
} as const;

type AnyCell = ReturnType<typeof elman>;

/** Every window of every mode against differences, by the check that users have. */
const surrogates: Law = {
  name: "surrogates",
  statement: "each window's gradient is that of central differences of its surrogate, in all modes",
  bound: 1e-7,
  measure(seed) {
    const random = rng(seed, "surrogates");
    const steps = Array.from({ length: 9 }, () => ({
      input: normal(random, [1, 2]),
      target: normal(random, [1, 2]),
    }));
    const [k1, more] = [random.integer(1, 4), random.integer(0, 4)];
    const model = [cells.elman, cells.gru, cells.lstm][random.integer(0, 3)] as AnyCell;
    const report = checkTruncated(model, steps, {
      k1,
      k2: k1 + more,
      seed,
      loss: (y, target) => y.sub(target).square(),
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

/** The published formulas of cells, one number at a time. */
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
type Matrix = readonly (readonly number[])[];

/** Gates' sums `x W + b` and `h U` of one row. */
function sums(p: Record<string, Tensor>, x: readonly number[], h: readonly number[]) {
  const times = (row: readonly number[], M: Matrix, column: number) =>
    row.reduce((sum, value, i) => sum + value * M[i]![column]!, 0);
  const [W, U] = [p.W!.toArray() as Matrix, p.U!.toArray() as Matrix];
  const b = p.b!.toArray() as number[];
  return {
    ofInput: b.map((bias, j) => times(x, W, j) + bias),
    ofState: (from: readonly number[], j: number) => times(from, U, j),
    all: b.map((bias, j) => times(x, W, j) + bias + times(h, U, j)),
  };
}

type Formula = (
  p: Record<string, Tensor>,
  x: readonly number[],
  state: Readonly<Record<string, readonly number[]>>,
) => Record<string, number[]>;

const units = [0, 1];
const formulas: Record<"elman" | "lstm" | "gru" | "gruResetBefore", Formula> = {
  elman: (p, x, { h }) => ({ h: sums(p, x, h!).all.map(Math.tanh) }),
  lstm(p, x, { h, c }) {
    const gate = (k: number, j: number) => sums(p, x, h!).all[2 * k + j]!;
    const next = units.map(
      (j) => sigmoid(gate(1, j)) * c![j]! + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)),
    );
    return { h: units.map((j) => sigmoid(gate(3, j)) * Math.tanh(next[j]!)), c: next };
  },
  gru(p, x, { h }) {
    const { all, ofInput, ofState } = sums(p, x, h!);
    const bn = values(p.bn!);
    const next = units.map((j) => {
      const [r, z] = [sigmoid(all[j]!), sigmoid(all[2 + j]!)];
      const n = Math.tanh(ofInput[4 + j]! + r * (ofState(h!, 4 + j) + bn[j]!));
      return (1 - z) * n + z * h![j]!;
    });
    return { h: next };
  },
  gruResetBefore(p, x, { h }) {
    const { all, ofInput, ofState } = sums(p, x, h!);
    const reset = units.map((j) => sigmoid(all[j]!) * h![j]!);
    const next = units.map((j) => {
      const z = sigmoid(all[2 + j]!);
      return (1 - z) * Math.tanh(ofInput[4 + j]! + ofState(reset, 4 + j)) + z * h![j]!;
    });
    return { h: next };
  },
};

function formulaLaw(name: keyof typeof formulas): Law {
  return {
    name: "cell formula",
    statement: "one step is the published formula, number by number, with gates in PyTorch's order",
    bound: 1e-12,
    measure(seed) {
      const tally = new Tally();
      const random = rng(seed, "formula");
      const cell = cells[name] as unknown as AnyCell;
      const shapes: Record<string, readonly number[]> = {};
      for (const [key, { shape }] of Object.entries(cell.params)) shapes[key] = shape;
      const params = Object.fromEntries(
        Object.entries(shapes).map(([key, shape]) => [key, normal(random, shape)]),
      );
      const state = tree.map(initialState(cell, 1, { dtype: "float64" }), (x: Tensor) =>
        normal(random, x.shape),
      );
      const x = normal(random, [1, 2]);
      const [y, next] = cell.step(params as never, x, state as never);
      const expected = formulas[name](params, values(x), numbers(state) as never);
      tally.trees(next, expected, "state");
      tally.list(values(y), expected.h!, "output");
      return tally;
    },
  };
}

/** Cells held to what every cell must do, and to their formulas. */
export function cellSubjects(): Subject[] {
  const own = Object.entries(cells).map(([name, cell]) => ({
    name,
    group: "cells",
    laws: [
      ...(name in formulas ? [formulaLaw(name as keyof typeof formulas)] : []),
      ...cellLaws(cell as unknown as AnyCell, { input: 2, batch: 2, steps: 3 }),
    ],
  }));
  return [
    ...own,
    { name: "first states", group: "cells", laws: [starts] },
    { name: "truncated, by differences", group: "truncated streams", laws: [surrogates] },
  ];
}
