import { existsSync, readFileSync } from "node:fs";
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
}

export interface Results {
  readonly machine: Machine;
  readonly tasks: readonly TaskResult[];
}

/** Whether a figure is as good as a task asks for. */
export function isSolved({ solved, task }: Pick<Row, "solved" | "task">, figure: number): boolean {
  return task.kind.isBetterHigh ? figure >= solved : figure <= solved;
}

export function taskResult(row: Row, cells: readonly Cell[]): TaskResult {
  const { name, title, task, solved, cell, hidden, rows, batches, learningRate } = row;
  const { figure, isBetterHigh } = task.kind;
  const model = `${cell.toUpperCase()}, ${hidden} units`;
  const settings = { model, rows, batches, learningRate };
  const { baseline, steps } = task;
  return { name, title, figure, isBetterHigh, baseline, solved, steps, ...settings, cells };
}

/**
 * What stands in a file, with what was measured now in its place: tasks in this order, estimators
 * in theirs.
 */
export function merged(path: string, now: Results, table: readonly Row[]): Results {
  const before: readonly TaskResult[] = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as Results).tasks
    : [];
  const tasks = table.flatMap((row) => {
    const named = ({ name }: TaskResult) => name === row.name;
    const cells = [...(now.tasks.find(named)?.cells ?? []), ...(before.find(named)?.cells ?? [])];
    const ordered = row.estimators.flatMap(
      ({ name }) => cells.find(({ estimator }) => estimator === name) ?? [],
    );
    return ordered.length === 0 ? [] : [taskResult(row, ordered)];
  });
  return { machine: now.machine, tasks };
}

/** A figure as a person reads it. */
export function shown({ figure }: Pick<TaskResult, "figure">, value: number): string {
  if (figure === "accuracy") return `${(100 * value).toFixed(1)} %`;
  return value < 0.001 ? value.toExponential(0) : value.toFixed(value < 0.1 ? 4 : 3);
}
