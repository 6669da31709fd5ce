// Runs of the training loop that ranks share, or one process alone; the tests compare them.
import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import {
  type Communicator,
  crossEntropy,
  embedding,
  linear,
  selfCommunicator,
} from "@chronograd/nn";
import { type Cell, gru, sequential, zoneout } from "@chronograd/rnn";
import type { PlainCell } from "../../src/modules/loadCell.ts";
import type { Checkpoint } from "../../src/training/checkpoint.ts";
import { train } from "../../src/training/loop.ts";
import type { Metrics } from "../../src/training/metrics.ts";
import { trainOptions } from "../../src/training/options.ts";
import { ofFirst } from "../../src/training/ranks.ts";
import type { Task } from "../../src/training/task.ts";

/** A run: on which rows of a text, for how many windows. */
export interface Run {
  readonly name: string;
  readonly rows: readonly number[];
  readonly windows: number;
  /** Windows after which the data end. */
  readonly ends?: number;
  /** How often zoneout keeps a state; without it the model draws nothing. */
  readonly zoneout?: number;
  readonly localUpdates?: number;
  readonly outerLr?: number;
  readonly outerMomentum?: number;
  readonly shards?: number;
  readonly threads?: number;
  readonly k2?: number;
  /** What it goes on from: a run before it, or what that came to. */
  readonly from?: string | Ended;
}

/** What a run came to. */
export interface Ended {
  readonly metrics: readonly Metrics[];
  /** The values of all parameters. */
  readonly params: readonly (readonly number[])[];
  readonly saved: Checkpoint;
  readonly said: readonly string[];
}

const k1 = 2;
const symbols = 5;

/** Row `row` at time `t`. */
const symbol = (row: number, t: number) => (t * (row + 2) + ((t * t) >> 2) + row) % symbols;

function taskOf(rows: readonly number[], ends: number): Task {
  const at = (t: number) => tensor(Int32Array.from(rows, (row) => symbol(row, t)));
  return {
    title: "rows",
    description: "rows of symbols",
    digest: "rows",
    interface: { input: { tokens: symbols }, output: symbols },
    hidden: 4,
    unit: "nats",
    tokens: "symbols",
    *stream(position) {
      for (let t = position; t < ends * k1; t++) yield { input: at(t), target: at(t + 1) };
    },
    loss: (y: Tensor, target: Tensor) => crossEntropy(y, target, { reduction: "none" }),
    estimate: undefined,
    heldOut: () => undefined,
    kept: {},
    evaluate: () => ({ loss: undefined, figures: [], lines: [], sections: [] }),
  };
}

function modelOf(rate: number | undefined): PlainCell {
  const cell = gru({ input: 3, hidden: 4 }) as Cell<never, never>;
  return sequential({
    embedding: embedding({ input: symbols, output: 3 }),
    cell: rate === undefined ? cell : zoneout(cell, { rate }),
    head: linear({ input: 4, output: symbols }),
  }) as unknown as PlainCell;
}

async function trained(
  { rows, windows, ends = Infinity, zoneout: rate, k2 = 4, from: _, ...more }: Omit<Run, "name">,
  from: Ended | undefined,
  communicator: Communicator,
): Promise<Ended> {
  const given = { ...more, k1, k2, batch: rows.length, warmup: 0, decay: 0, lr: 0.05, windows };
  const options = { ...trainOptions.parse(given), hidden: 4 };
  const said: string[] = [];
  let saved: Checkpoint | undefined;
  const copies = (values: unknown) => tree.map(values, (x: Tensor) => x.clone());
  const outcome = await train(
    {
      ...{ options, task: taskOf(rows, ends), model: modelOf(rate) },
      ...{ windows, end: undefined, communicator },
      folder: {
        log: () => {},
        async save(kept) {
          saved = copies(kept) as unknown as Checkpoint;
        },
      },
      ...(from && {
        resumed: { checkpoint: copies(from.saved) as Checkpoint, metrics: from.metrics },
      }),
    },
    {
      ...{ result: () => {}, stopping: () => false, color: false },
      say: (line) => void said.push(line),
      progress: () => ({ update: () => {}, stop: () => {} }),
    },
  );
  const values = tree.leaves(outcome.trained.params) as Tensor[];
  return {
    metrics: outcome.metrics.map((line) => ({ ...line, seconds: 0, tokensPerSecond: 0 })),
    params: values.map((x) => [...x.toTypedArray()]),
    // That of the first rank is the one that is written.
    saved: ofFirst(communicator, saved!),
    said,
  };
}

/** What each run comes to, by its name. */
export type Endings = Readonly<Record<string, Ended>>;

/** Runs one after the other, on the ranks of a communicator. */
export default async function runs(
  communicator: Communicator,
  list: readonly Run[],
): Promise<Endings> {
  const found: Record<string, Ended> = {};
  for (const { name, ...run } of list) {
    const from = typeof run.from === "string" ? found[run.from] : run.from;
    found[name] = await trained(run, from, communicator);
  }
  return found;
}

/** The same in this process alone. */
export const alone = (list: readonly Run[]): Promise<Endings> => runs(selfCommunicator, list);
