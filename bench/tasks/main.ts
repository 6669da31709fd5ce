import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeMachine } from "../machine.ts";
import { makeProgress } from "../progress.ts";
import { curves } from "./curves.ts";
import { help, type Options, parseOptions, UsageError } from "./options.ts";
import { type Cell, isSolved, merged, type Results, shown, taskResult } from "./results.ts";
import { table } from "./table.ts";
import { train } from "./train.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));

function main({ only, estimators, smoke, seed, out }: Options): void {
  const progress = makeProgress();
  const chosen = table
    .filter(({ name }) => only.length === 0 || only.includes(name))
    .map((row) => ({
      row: smoke ? { ...row, batches: 3 } : row,
      estimators: row.estimators.filter(
        ({ name }) =>
          estimators.length === 0 || estimators.some((part) => name.toLowerCase().includes(part)),
      ),
    }));
  const count = chosen.reduce((sum, part) => sum + part.estimators.length, 0);
  if (count === 0) throw new UsageError("--estimator: no estimator of these tasks has such a name");
  let done = 0;
  const started = performance.now();
  const tasks = chosen.map(({ row, estimators: all }) => {
    const { task, batches } = row;
    const { figure } = task.kind;
    const baseline = shown({ figure }, task.baseline);
    progress.say(`\n${row.title} (${row.name}): ${figure}, ${baseline} without looking`);
    const cells = all.map((estimator): Cell => {
      const place = `[${++done}/${count}] ${estimator.name.padEnd(20)}`;
      const outcome = train(task, row, estimator, seed, (point) => {
        const now = shown({ figure }, point.figure);
        progress.status(`${place} ${now} after ${point.batches} of ${batches} batches`);
      });
      const end = outcome.curve.at(-1)!.figure;
      const cell = {
        estimator: estimator.name,
        date: new Date().toISOString(),
        seed,
        figure: end,
        isSolved: outcome.failure === undefined && isSolved(row, end),
        ...outcome,
      };
      progress.say(`${place} ${lineOf(row.task.kind, cell)}`);
      return cell;
    });
    return taskResult(row, cells);
  });
  progress.status("");
  progress.say(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  if (!smoke) write(out, { machine: describeMachine({}), tasks }, progress.say);
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

/** Writes results and pictures; what was not run stays as it stands. */
function write(out: string | undefined, now: Results, say: (line: string) => void): void {
  const path = out ?? `${folder}results.json`;
  const results = merged(path, now, table);
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
  say(`wrote ${path}`);
  if (out !== undefined) return;
  mkdirSync(`${folder}pictures`, { recursive: true });
  for (const task of results.tasks)
    writeFileSync(`${folder}pictures/${task.name}.svg`, curves(task));
  say(`wrote ${results.tasks.length} pictures`);
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
