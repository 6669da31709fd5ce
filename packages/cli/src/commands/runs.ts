import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { UsageError } from "../command/errors.ts";
import type { Io } from "../command/io.ts";
import { textTable } from "../command/textTable.ts";
import { checkFree, writeOutput } from "../command/writeOutput.ts";
import { comparisonPage, dateOf, differences, lastLoss, results } from "../comparison/compare.ts";
import { binned, sparkline } from "../comparison/sparkline.ts";
import { type Summary, summaryOf } from "../comparison/summary.ts";
import { runPaths } from "../run/description.ts";

/** Lists run folders, and shows two of them side by side. */
export const runs: Command = defineCommand({
  name: "runs",
  summary: "Lists the runs, or shows two of them side by side.",
  positionals: [
    { name: "a", description: "a run, by its name or its folder" },
    { name: "b", description: "a run to compare it with" },
  ],
  options: z.object({
    a: z.string().optional(),
    b: z.string().optional(),
    parent: z
      .string()
      .default("runs")
      .describe("the folder that run folders stand in")
      .meta({ value: "DIR" }),
    report: z
      .string()
      .optional()
      .describe("also write the comparison with its curves to this HTML file")
      .meta({ value: "FILE" }),
    force: z.boolean().default(false).describe("replace an earlier report"),
  }),
  examples: [
    "chronograd runs",
    "chronograd runs gru-256-1 lstm-256-1",
    "chronograd runs gru-256-1 lstm-256-1 --report comparison.html",
  ],
  async run({ a, b, parent, report, force }, io) {
    const at = (name: string) => (existsSync(join(parent, name)) ? join(parent, name) : name);
    if (a === undefined) return list(parent, io);
    if (report !== undefined) checkFree(report, force, "--report");
    if (b === undefined) throw new UsageError(`${a}: name a second run to compare it with`);
    const [left, right] = [summaryOf(at(a)), summaryOf(at(b))];
    const rows = { results: results(left, right), options: differences(left, right) };
    const head = ["", left.name, right.name];
    for (const line of textTable([head, ...rows.results])) io.say(line);
    io.say("\nOptions that differ:");
    const other = rows.options.length === 0 ? ["none"] : textTable([head, ...rows.options]);
    for (const line of other) io.say(line);
    curves([left, right], io);
    io.result({ a: dataOf(left), b: dataOf(right), ...rows });
    if (report === undefined) return;
    await writeOutput(report, comparisonPage(left, right));
    io.say(`\nwrote ${report}`);
  },
});

/** The table of all runs. */
function list(parent: string, io: Io): void {
  const unreadable: string[] = [];
  const all = runPaths(parent).flatMap((path) => {
    try {
      return [summaryOf(path)];
    } catch (error) {
      unreadable.push((error as Error).message);
      return [];
    }
  });
  all.sort((a, b) => a.run.began.localeCompare(b.run.began));
  io.result(all.map(dataOf));
  for (const sentence of unreadable) io.say(sentence);
  if (all.length === 0) return io.say(`no runs in ${parent}; chronograd train makes one`);
  const head = ["name", "kind", "data", "cell", "parameters", "steps", "loss", "held out", "began"];
  const rows = all.map((run) => [
    run.name,
    run.run.kind,
    run.data,
    run.cell,
    run.parameters?.toLocaleString("en") ?? "",
    run.curve.at(-1)?.step.toLocaleString("en") ?? "",
    lastLoss(run.curve)?.toFixed(3) ?? "",
    run.heldOut?.toFixed(3) ?? "",
    dateOf(run.run.began),
  ]);
  for (const line of textTable([head, ...rows])) io.say(line);
}

/** The curves of runs in blocks of one scale. */
function curves(both: readonly Summary[], io: Io): void {
  const losses = both.map(({ curve }) =>
    binned(
      curve.map(({ loss }) => loss),
      50,
    ),
  );
  const isPositive = losses.flat().every((loss) => loss > 0);
  const lines = isPositive ? losses.map((bins) => bins.map(Math.log)) : losses;
  if (lines.flat().length === 0) return;
  const scale = isPositive ? "logarithmic, " : "";
  io.say(`\nTraining loss, ${scale}from the first window to the last:`);
  const width = Math.max(...both.map(({ name }) => name.length));
  for (const [i, { name }] of both.entries()) {
    io.say(`${name.padEnd(width)}  ${sparkline(lines[i]!, lines.flat())}`);
  }
}

/** A run as `--json` prints it. */
function dataOf({ run, curve, ...rest }: Summary) {
  return {
    ...rest,
    kind: run.kind,
    began: run.began,
    steps: curve.at(-1)?.step ?? null,
    loss: lastLoss(curve) ?? null,
  };
}
