import type { Cell, Results, TaskResult } from "./results.ts";

/** A figure as a person reads it. */
export function shown({ figure }: Pick<TaskResult, "figure">, value: number): string {
  if (figure === "accuracy") return `${(100 * value).toFixed(1)} %`;
  return value < 0.001 ? value.toExponential(0) : value.toFixed(value < 0.1 ? 4 : 3);
}

/** One estimator on one task, for a table. */
export interface Entry {
  readonly text: string;
  readonly isSolved: boolean;
  readonly title: string;
}

/** Estimators by tasks. */
export interface Overview {
  readonly tasks: readonly {
    readonly name: string;
    readonly title: string;
    readonly baseline: string;
  }[];
  readonly rows: readonly {
    readonly estimator: string;
    readonly entries: readonly (Entry | null)[];
  }[];
}

/** What stands in the rows of all tasks: windows are as long as each task says. */
const estimators: readonly (readonly [name: string, matches: RegExp, nth: number])[] = [
  ["full BPTT", /^full BPTT$/, 0],
  ["truncated, the shorter k2", /^truncated/, 0],
  ["truncated, the longer k2", /^truncated/, 1],
  ["ARTBP", /^ARTBP/, 0],
  ["RTRL", /^RTRL/, 0],
  ["SnAp-1", /^SnAp/, 0],
  ["e-prop", /^e-prop/, 0],
  ["UORO", /^UORO/, 0],
  ["full BPTT, flossed first", /flossed$/, 0],
];

export function overviewOf({ tasks }: Pick<Results, "tasks">): Overview {
  return {
    tasks: tasks.map(({ name, title, figure, baseline }) => ({
      name,
      title,
      baseline: `${shown({ figure }, baseline)}${figure === "accuracy" ? "" : ` ${figure}`}`,
    })),
    rows: estimators.flatMap(([estimator, matches, nth]) => {
      const entries = tasks.map((task) => {
        const cell = task.cells.filter((each) => matches.test(each.estimator))[nth];
        return cell === undefined ? null : entryOf(task, cell);
      });
      return entries.every((entry) => entry === null) ? [] : [{ estimator, entries }];
    }),
  };
}

function entryOf(task: TaskResult, cell: Cell): Entry {
  const { estimator, figure, isSolved, updates, seconds } = cell;
  const title = `${estimator}: ${updates} updates, ${seconds.toFixed(1)} s`;
  return { text: shown(task, figure), isSolved, title };
}

/** Microseconds for a step of all rows, updates included. */
export function stepTime({ steps }: Pick<TaskResult, "steps">, { curve, seconds }: Cell): number {
  return (1e6 * seconds) / (curve.at(-1)!.batches * steps);
}

/** The results as a page of Markdown. */
export function markdown(results: Results): string {
  const { tasks, rows } = overviewOf(results);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const overview = [
    line(["estimator", ...tasks.map(({ name }) => name)]),
    line(["---", ...tasks.map(() => "---:")]),
    line(["without looking", ...tasks.map(({ baseline }) => baseline)]),
    ...rows.map(({ estimator, entries }) =>
      line([
        estimator,
        ...entries.map((entry) =>
          entry === null ? "" : entry.isSolved ? `**${entry.text}**` : entry.text,
        ),
      ]),
    ),
  ];
  const parts = results.tasks.map((task) => {
    const { title, name, model, rows: B, batches, steps, learningRate, solved, cells } = task;
    const settings = `${model}, ${steps} steps, ${batches} batches of ${B} rows, learning rate ${learningRate}; solved from ${shown(task, solved)} on (${task.figure}).`;
    return [
      `## ${title} (${name})\n`,
      `${settings}\n`,
      line(["estimator", task.figure, "updates", "seconds", "us a step", "MiB at peak", "date"]),
      line(["---", "---:", "---:", "---:", "---:", "---:", "---"]),
      ...cells.map((cell) =>
        line([
          cell.estimator,
          `${shown(task, cell.figure)}${cell.isSolved ? ", solved" : ""}`,
          String(cell.updates),
          cell.seconds.toFixed(1),
          stepTime(task, cell).toFixed(0),
          (cell.peakBytes / 2 ** 20).toFixed(1),
          cell.date.slice(0, 10),
        ]),
      ),
      ...(task.window ? [`\n\`chooseWindow\` while it learns: ${verdict(task.window)}`] : []),
      `\n![Curves](pictures/${name}.svg)\n`,
    ].join("\n");
  });
  const { cpu, cores, node } = results.machine;
  return `# Results of \`npm run tasks\`\n\nOne seed, on ${cpu} (${cores} cores, Node ${node}). Bold is solved.\n\n${overview.join("\n")}\n\n${parts.join("\n")}`;
}

/** What `chooseWindow` found, in words. */
export function verdict(window: NonNullable<TaskResult["window"]>): string {
  const { k2, refusal, tolerance, k1, measured, trained } = window;
  if (k2 === null) return `no window, because ${refusal}.`;
  const { k2: shortest, relativeError } = measured[0]!;
  return `after ${trained} batches of full BPTT, with k1 ${k1}, k2 ${k2} is the shortest window whose relative bias stays below ${tolerance}; that of k2 ${shortest} is ${relativeError.value?.toFixed(2)}.`;
}
