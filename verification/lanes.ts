import { type Tensor, tree } from "@chronograd/autodiff";
import { linear, type Rng } from "@chronograd/nn";
import {
  gru,
  initialParams,
  type LaneSequence,
  type Lanes,
  type LanesState,
  lanes,
  sequential,
  type TimeStep,
  type TruncatedOptions,
  truncated,
  type Values,
} from "@chronograd/rnn";
import { cellTable, type SomeCell } from "@chronograd/rnn/testing";
import { normal } from "./blocks.ts";
import { law } from "./onTape.ts";
import type { Subject } from "./subject.ts";
import { numbers, total } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

/** Sequences of 0 to 7 steps, the first of at least one. */
function sequencesOf(random: Rng, columns: number, outputs: number): LaneSequence[] {
  return Array.from({ length: between(random, 1, 9) }, (_, i) => {
    const length = between(random, i === 0 ? 1 : 0, 7);
    return {
      inputs: normal(random, [length, columns]),
      targets: normal(random, [length, outputs]),
    };
  });
}

/** What stands in each row of a step. */
function rowsOf(steps: Lanes): unknown[][] {
  return Array.from(steps, (step) => {
    const { sequence, position, input, target } = step;
    const [reset, mask] = [step.reset, step.mask].map((x) => Array.from(x.toTypedArray()));
    return sequence.map((index, row) => ({
      index,
      position: position[row],
      reset: reset![row],
      mask: mask![row],
      input: index < 0 ? [] : Array.from(input.slice([row]).toTypedArray()),
      target: index < 0 ? [] : Array.from(target.slice([row]).toTypedArray()),
    }));
  });
}

const order = law(
  "every step once",
  "every step of every sequence is in one lane, in order, with a reset at its start alone; a row is masked only when no sequence is left",
  0,
  (random, tally) => {
    const rows = between(random, 1, 4);
    const sequences = sequencesOf(random, 2, 1);
    // The schedule, written out: each sequence goes to the lowest of the rows that are free first.
    const ends = new Array<number>(rows).fill(0);
    const expected: Record<string, unknown>[][] = [];
    for (const [index, { inputs, targets }] of sequences.entries()) {
      const length = inputs.shape[0]!;
      if (length === 0) continue;
      const row = ends.indexOf(Math.min(...ends));
      for (let position = 0; position < length; position++) {
        const at = (x: Tensor) => Array.from(x.slice([position]).toTypedArray());
        const t = ends[row]! + position;
        expected[t] ??= [];
        expected[t][row] = {
          ...{ index, position, reset: position === 0 ? 1 : 0, mask: 1 },
          ...{ input: at(inputs), target: at(targets) },
        };
      }
      ends[row]! += length;
    }
    const none = { index: -1, position: -1, reset: 0, mask: 0, input: [], target: [] };
    const all = expected.map((step) => Array.from({ length: rows }, (_, row) => step[row] ?? none));
    const found = rowsOf(lanes(sequences, { rows }));
    tally.check(JSON.stringify(found) === JSON.stringify(all), () => {
      return `${rows} rows: ${JSON.stringify(found)}, expected ${JSON.stringify(all)}`;
    });
  },
);

const resumed = law(
  "going on",
  "lanes that go on from a state, with the source again or from what is needed, give what would have followed",
  0,
  (random, tally) => {
    const rows = between(random, 1, 4);
    const sequences = sequencesOf(random, 1, 1);
    const whole = rowsOf(lanes(sequences, { rows }));
    const begun = lanes(sequences, { rows });
    const after = random.integer(0, whole.length + 1);
    for (let t = 0; t < after; t++) begun.next();
    const state = JSON.parse(JSON.stringify(begun.getState())) as LanesState;
    for (const source of [sequences, (first: number) => sequences.slice(first)]) {
      const rest = rowsOf(lanes(source, { rows, state }));
      tally.check(JSON.stringify(rest) === JSON.stringify(whole.slice(after)), () => {
        return `${rows} rows, after ${after} of ${whole.length} steps`;
      });
    }
  },
);

const sizes = { input: 2, hidden: 3 };
const models: readonly (() => unknown)[] = [
  ...cellTable()
    .filter(({ isVector }) => isVector)
    .map(
      ({ make }) =>
        () =>
          make(sizes),
    ),
  () => sequential({ cell: gru(sizes), head: linear({ input: 3, output: 3 }) }),
];

/** Losses, tokens and gradients of a stream with frozen weights. */
function trained(
  model: SomeCell,
  params: Values<SomeCell["params"]>,
  stream: Iterable<TimeStep>,
  options: Omit<TruncatedOptions<SomeCell["state"]>, "loss" | "k2">,
) {
  const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square().sum(-1);
  let [value, count] = [0, 0];
  const gradients = Array.from(
    truncated(model, params, stream, { ...options, k2: Infinity, loss }),
    (window) => {
      value += window.loss;
      count += window.count;
      return numbers(window.gradients);
    },
  );
  return { value, count, gradients: total(gradients) };
}

const apart = law(
  "sequences apart",
  "losses, tokens and gradients of truncated over lanes are those of all sequences run alone",
  1e-12,
  (random, tally) => {
    const model = oneOf(random, models)() as SomeCell;
    const params = tree.map(
      initialParams(model, random.split("params"), { dtype: "float64" }),
      (x: Tensor) => x.add(normal(random, x.shape)),
    ) as Values<SomeCell["params"]>;
    const rows = between(random, 1, 4);
    const options = {
      k1: between(random, 1, 5),
      stale: oneOf(random, ["carry", "recompute", "defer"] as const),
      compile: random.uniform() < 0.5,
    };
    const sequences = sequencesOf(random, 2, 3);
    const together = trained(model, params, lanes(sequences, { rows }), options);
    const alone = sequences
      .filter(({ inputs }) => inputs.shape[0]! > 0)
      .map(({ inputs, targets }) => {
        const steps = Array.from({ length: inputs.shape[0]! }, (_, t) => ({
          input: inputs.slice([[t, t + 1]]),
          target: targets.slice([[t, t + 1]]),
        }));
        return trained(model, params, steps, options);
      });
    const where = `${rows} rows, ${JSON.stringify(options)}`;
    const sum = (name: "value" | "count") => alone.reduce((all, each) => all + each[name], 0);
    tally.number(together.value, sum("value"), () => `${where}: the losses`);
    tally.number(together.count, sum("count"), () => `${where}: the tokens`);
    tally.trees(together.gradients, total(alone.map(({ gradients }) => gradients)), where);
  },
);

/** Sequences laid end to end. */
export function laneSubject(): Subject {
  return { name: "lanes", group: "sequences", laws: [order, resumed, apart] };
}
