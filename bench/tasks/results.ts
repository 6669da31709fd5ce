import type { ChosenWindow } from "@chronograd/rnn/flow";
import type { Machine } from "../machine.ts";
import type { Row } from "./table.ts";
import type { Outcome } from "./train.ts";

/** One estimator on one task. */
export interface Cell extends Outcome {
  readonly estimator: string;
  /** When it was measured. */
  readonly date: string;
  readonly seed: number;
  /** At the end, on held-out sequences. */
  readonly figure: number;
  readonly isSolved: boolean;
}

/** A task, how it was learnt, and what came of it. */
export interface TaskResult {
  readonly name: string;
  readonly title: string;
  /** What its figure is, such as "MSE". */
  readonly figure: string;
  readonly isBetterHigh: boolean;
  readonly baseline: number;
  readonly solved: number;
  readonly steps: number;
  readonly model: string;
  readonly rows: number;
  readonly batches: number;
  readonly learningRate: number;
  readonly cells: readonly Cell[];
  /** What `chooseWindow` says before the training, where it is asked. */
  readonly window?: ChosenWindow & { readonly trained: number };
}

export interface Results {
  readonly machine: Machine;
  readonly tasks: readonly TaskResult[];
}

/** Whether a figure is as good as a task asks for. */
export function isSolved({ solved, task }: Pick<Row, "solved" | "task">, figure: number): boolean {
  return task.kind.isBetterHigh ? figure >= solved : figure <= solved;
}

export function taskResult(
  row: Row,
  cells: readonly Cell[],
  window?: TaskResult["window"],
): TaskResult {
  const { name, title, task, solved, cell, hidden, rows, batches, learningRate } = row;
  const { longestLag } = row;
  const { figure, isBetterHigh } = task.kind;
  const names = { gru: "GRU", lstm: "LSTM", random: "vanilla network" };
  const chrono = longestLag === undefined ? "" : `, chrono initialization to ${longestLag} steps`;
  const model = `${names[cell]}, ${hidden} units${chrono}`;
  const settings = { model, rows, batches, learningRate };
  const { baseline, steps } = task;
  const found = { ...settings, cells, ...(window && { window }) };
  return { name, title, figure, isBetterHigh, baseline, solved, steps, ...found };
}

/**
 * What was measured before, with what was measured now in its place; both in the order of the
 * table.
 */
export function merged(
  before: Pick<Results, "tasks">,
  now: Results,
  table: readonly Row[],
): Results {
  const tasks = table.flatMap((row) => {
    const measured = [now, before].flatMap(({ tasks }) =>
      tasks.filter(({ name }) => name === row.name),
    );
    const all = measured.flatMap(({ cells }) => cells);
    const cells = row.estimators.flatMap(
      ({ name }) => all.find(({ estimator }) => estimator === name) ?? [],
    );
    const window = measured.find((each) => each.window !== undefined)?.window;
    return measured.length === 0 ? [] : [taskResult(row, cells, window)];
  });
  return { ...now, tasks };
}
