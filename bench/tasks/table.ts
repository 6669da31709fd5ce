// The tasks of `npm run tasks`, and how each is learnt.
import { adding } from "./adding.ts";
import { copying } from "./copying.ts";
import { delayedXor } from "./delayedXor.ts";
import { dyck } from "./dyck.ts";
import { type Estimator, forward, full, randomCuts, truncation } from "./estimators.ts";
import { flossedFirst } from "./flossing.ts";
import { lagged } from "./lagged.ts";
import { parity } from "./parity.ts";
import type { WindowQuestion } from "./predict.ts";
import type { Task } from "./task.ts";
import { tomita } from "./tomita.ts";
import type { Training } from "./train.ts";

export interface Row extends Training {
  readonly name: string;
  readonly title: string;
  readonly task: Task;
  readonly estimators: readonly Estimator[];
  /** The figure from which on the task counts as solved. */
  readonly solved: number;
  /** What `chooseWindow` is asked before the training. */
  readonly window?: WindowQuestion;
}

/** Every way to estimate a gradient, with updates every k1 steps where sequences are cut. */
const all = ({ steps }: Task, k1: number, k2: number): Estimator[] => [
  full(steps),
  truncation(k1, k1),
  truncation(k1, k2),
  randomCuts(k1),
  ...forward(k1),
];

function row(own: Omit<Row, "estimators">, estimators: (task: Task) => readonly Estimator[]): Row {
  return { ...own, estimators: estimators(own.task) };
}

export const table: readonly Row[] = [
  row(
    {
      name: "adding",
      title: "Adding two of 200 numbers",
      task: adding(200),
      ...{ cell: "gru", hidden: 64, rows: 32, batches: 2000, learningRate: 5e-3 },
      solved: 0.01,
    },
    // Forward estimators are left out: RTRL would carry 32 x 64 x 13,000 numbers, 200 steps long.
    ({ steps }) => [full(steps), truncation(20, 20), truncation(20, 100)],
  ),
  row(
    {
      name: "adding-short",
      title: "Adding two of 20 numbers",
      task: adding(20),
      ...{ cell: "lstm", hidden: 12, rows: 8, batches: 1000, learningRate: 1e-2 },
      solved: 0.01,
    },
    (task) => all(task, 5, 10),
  ),
  row(
    {
      name: "copying",
      title: "Copying 2 symbols after a delay of 8",
      task: copying(2, 8),
      ...{ cell: "lstm", hidden: 12, rows: 8, batches: 1500, learningRate: 2e-2 },
      solved: 0.1,
    },
    (task) => all(task, 4, 8),
  ),
  row(
    {
      name: "xor",
      title: "Exclusive or of the bits 2 and 4 steps ago",
      task: delayedXor(2, 20),
      ...{ cell: "lstm", hidden: 12, rows: 8, batches: 600, learningRate: 1e-2 },
      solved: 0.99,
    },
    (task) => all(task, 2, 5),
  ),
  row(
    {
      name: "tomita",
      title: "Tomita's seven languages",
      task: tomita(20),
      ...{ cell: "lstm", hidden: 16, rows: 14, batches: 2000, learningRate: 2e-2 },
      solved: 0.99,
    },
    (task) => all(task, 5, 10),
  ),
  row(
    {
      name: "dyck",
      title: "Dyck-1, balanced brackets",
      task: dyck(40),
      ...{ cell: "lstm", hidden: 12, rows: 8, batches: 400, learningRate: 1e-2 },
      solved: 0.99,
    },
    (task) => all(task, 5, 10),
  ),
  row(
    {
      name: "parity",
      title: "Parity of the ones so far",
      task: parity(20),
      ...{ cell: "lstm", hidden: 12, rows: 8, batches: 600, learningRate: 1e-2 },
      solved: 0.99,
    },
    (task) => all(task, 5, 10),
  ),
  row(
    {
      name: "lag-60",
      title: "A bit at a lag of 60 steps",
      task: lagged(60, 80),
      ...{ cell: "lstm", hidden: 16, longestLag: 25, rows: 16, batches: 300, learningRate: 1e-2 },
      solved: 0.99,
      window: { k1: 20, tolerance: 0.1, lags: 80, batches: 12, trained: 90 },
    },
    (task) => all(task, 20, 80),
  ),
  row(
    {
      name: "flossing",
      title: "Exclusive or of the bits 10 and 20 steps ago, by a vanilla network",
      task: delayedXor(10, 80),
      ...{ cell: "random", hidden: 32, rows: 16, batches: 1500, learningRate: 1e-3 },
      solved: 0.99,
    },
    ({ steps }) => [full(steps), flossedFirst(full(steps))],
  ),
];
