import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeMachine } from "../machine.ts";
import { makeProgress } from "../progress.ts";
import { curves } from "./curves.ts";
import { help, type Options, parseOptions, UsageError } from "./options.ts";
import { markdown, shown } from "./overview.ts";
import { predict } from "./predict.ts";
import {
  type Cell,
  isSolved,
  merged,
  type Results,
  type TaskResult,
  taskResult,
} from "./results.ts";
import { type Row, table } from "./table.ts";
import { train } from "./train.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));

function main({ only, estimators, smoke, seed, out }: Options): void {
  const progress = makeProgress();
  const chosen = table
    .filter(({ name }) => only.length === 0 || only.includes(name))
    .map((row) => ({
      row: smoke ? { ...row, batches: 2 } : row,
      estimators: row.estimators.filter(
        ({ name }) =>
          estimators.length === 0 || estimators.some((part) => name.toLowerCase().includes(part)),
      ),
    }));
  const count = chosen.reduce((sum, part) => sum + part.estimators.length, 0);
  if (count === 0) throw new UsageError("--estimator: no estimator of these tasks has such a name");
  const path = out ?? (smoke ? undefined : `${folder}results.json`);
  /** What was run takes the place of what stands in the file; the rest stays as it is. */
  const keep = (row: Row, cells: readonly Cell[], window?: TaskResult["window"]): void => {
    if (path === undefined) return;
    const before: Pick<Results, "tasks"> = existsSync(path)
      ? JSON.parse(readFileSync(path, "utf8"))
      : { tasks: [] };
    const now = { machine: describeMachine({}), tasks: [taskResult(row, cells, window)] };
    // A line for each estimator, so that a difference shows what was run.
    const text = JSON.stringify(merged(before, now, table));
    writeFileSync(path, `${text.replaceAll('{"estimator"', '\n{"estimator"')}\n`);
  };
  let done = 0;
  const started = performance.now();
  for (const { row, estimators: all } of chosen) {
    const { task, batches, window } = row;
    const { kind } = task;
    progress.say(
      `\n${row.title} (${row.name}): ${kind.figure}, ${shown(kind, task.baseline)} without looking`,
    );
    for (const estimator of all) {
      const place = `[${++done}/${count}] ${estimator.name.padEnd(24)}`;
      const { outcome } = train(task, row, estimator, seed, (point) => {
        const now = shown(kind, point.figure);
        progress.status(`${place} ${now} after ${point.batches} of ${batches} batches`);
      });
      const { figure } = outcome.curve.at(-1)!;
      const isGood = outcome.failure === undefined && isSolved(row, figure);
      const date = new Date().toISOString();
      const cell = { estimator: estimator.name, date, seed, figure, isSolved: isGood, ...outcome };
      progress.say(`${place} ${lineOf(kind, cell)}`);
      keep(row, [cell]);
    }
    if (window === undefined) continue;
    const chosenWindow = predict(row, window, seed);
    progress.say(
      `chooseWindow, after ${window.trained} batches of full BPTT: k2 ${chosenWindow.k2 ?? chosenWindow.refusal}`,
    );
    keep(row, [], { ...chosenWindow, trained: window.trained });
  }
  progress.status("");
  progress.say(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  if (path === undefined) return;
  progress.say(`wrote ${path}`);
  if (out === undefined) draw(path, progress.say);
}

/** What came of a training, in a line. */
function lineOf(kind: { readonly figure: string }, cell: Cell): string {
  const { figure, updates, seconds, peakBytes, failure } = cell;
  const parts = [
    `${shown(kind, figure).padStart(8)} ${cell.isSolved ? "solved" : "      "}`,
    `${updates} updates`.padStart(13),
    `${seconds.toFixed(1)} s`.padStart(8),
    `${(peakBytes / 2 ** 20).toFixed(1)} MiB`.padStart(10),
  ];
  return `${parts.join(" ")}${failure === undefined ? "" : `, ended early: ${failure}`}`;
}

/** A page of tables, and a picture of each task, from a file of results. */
function draw(path: string, say: (line: string) => void): void {
  const results = JSON.parse(readFileSync(path, "utf8")) as Results;
  const { tasks } = results;
  writeFileSync(`${folder}results.md`, markdown(results));
  mkdirSync(`${folder}pictures`, { recursive: true });
  for (const task of tasks) writeFileSync(`${folder}pictures/${task.name}.svg`, curves(task));
  say(`wrote results.md and ${tasks.length} pictures`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(help);
  else main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`tasks: ${error.message}\n\n${help}`);
  process.exit(2);
}
