import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Overview, overviewOf, shown, stepTime, verdict } from "../../bench/tasks/overview.ts";
import type { Results } from "../../bench/tasks/results.ts";
import { type EstimatorsTable, estimatorsTable } from "../figures/estimatorsTable.ts";

/** One task, as the page shows it. */
interface Shown {
  readonly name: string;
  readonly title: string;
  readonly settings: string;
  readonly figure: string;
  /** As an address that an image takes. */
  readonly picture: string;
  readonly rows: readonly (readonly string[])[];
  readonly window: string | null;
}

export interface Page {
  readonly machine: string;
  readonly dates: string;
  readonly overview: Overview;
  readonly tasks: readonly Shown[];
  /** By task and estimator. */
  readonly figures: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What `chooseWindow` says of `lag-60`. */
  readonly verdict: string;
  /** Of an LSTM, against its full gradient. */
  readonly comparison: EstimatorsTable;
}

declare const data: Page;

export { data };

const folder = new URL("../../bench/tasks/", import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, folder));

export default {
  watch: [path("results.json"), path("pictures/*.svg")],
  load(): Page {
    const results = JSON.parse(readFileSync(path("results.json"), "utf8")) as Results;
    const { machine, tasks } = results;
    const days = tasks.flatMap(({ cells }) => cells.map(({ date }) => date.slice(0, 10))).sort();
    return {
      machine: `${machine.cpu}, Node ${machine.node}`,
      dates: [...new Set([days[0]!, days.at(-1)!])].join(" to "),
      overview: overviewOf(results),
      figures: Object.fromEntries(
        tasks.map((task) => [
          task.name,
          Object.fromEntries(
            task.cells.map(({ estimator, figure }) => [estimator, shown(task, figure)]),
          ),
        ]),
      ),
      comparison: estimatorsTable(),
      verdict: verdict(tasks.find(({ name }) => name === "lag-60")!.window!),
      tasks: tasks.map((task) => ({
        name: task.name,
        title: task.title,
        settings: `${task.model}; ${task.batches} batches of ${task.rows} sequences of ${task.steps} steps; solved from ${shown(task, task.solved)} on`,
        figure: task.figure,
        picture: `data:image/svg+xml;base64,${readFileSync(path(`pictures/${task.name}.svg`)).toString("base64")}`,
        rows: task.cells.map((cell) => [
          cell.estimator,
          `${shown(task, cell.figure)}${cell.isSolved ? ", solved" : ""}`,
          String(cell.updates),
          stepTime(task, cell).toFixed(0),
          (cell.peakBytes / 2 ** 20).toFixed(1),
        ]),
        window: task.window === undefined ? null : verdict(task.window),
      })),
    };
  },
};
