import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseBlocks } from "./cases.ts";
import { goalLines, reachedOf } from "./goals.ts";
import { growthFigure } from "./growth.ts";
import { findKernels, kernelLines } from "./kernels.ts";
import { describeMachine } from "./machine.ts";
import { type Measured, Measurement } from "./measure.ts";
import { help, type Options, parseOptions, UsageError } from "./options.ts";
import { Processes } from "./place.ts";
import { makeProgress } from "./progress.ts";
import { isQuiet, LoadMeter, linesOf, sayLoad } from "./quiet.ts";
import { ratiosOf } from "./ratios.ts";
import { setUpPeers } from "./setup.ts";
import { legend, tableOf } from "./table.ts";

/** Where results go, and the figure of growth beside them. */
function targets({ out, filter, only }: Options): { json: string; figure: string } {
  const results = fileURLToPath(new URL("results/", import.meta.url));
  const partial = filter !== "" || only.length > 0;
  if (out === undefined && !partial) {
    return { json: `${results}latest.json`, figure: `${results}growth.svg` };
  }
  const json = out ?? `${results}partial.json`;
  return { json, figure: `${json.replace(/\.json$/, "")}-growth.svg` };
}

function write(path: string, text: string, say: (line: string) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  say(`wrote ${relative(process.cwd(), path)}`);
}

async function main(options: Options): Promise<void> {
  const progress = makeProgress();
  const { say } = progress;
  const blocks = chooseBlocks(options);
  if (blocks.length === 0) throw new UsageError(`no case has "${options.filter}" in its name`);
  const systems = new Set(blocks.flatMap(({ entries }) => entries.map(({ system }) => system)));
  const needs = new Set([...systems].map(({ need }) => need));
  const peers = setUpPeers(needs, say);
  const processes = new Processes(peers);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.on(signal, () => {
      processes.end();
      process.exit(code);
    });
  }
  const started = performance.now();
  const kernels = findKernels(peers, needs);
  for (const line of kernelLines(kernels)) say(line);
  const meter = new LoadMeter();
  const before = await meter.begin();
  if (!isQuiet(before)) say(`the machine is not quiet (${sayLoad(before)}): figures mean little`);
  const results: Measured[] = [];
  try {
    const measurement = new Measurement(processes, options, progress);
    say(legend);
    for (const [i, block] of blocks.entries()) {
      const place = `[${i + 1}/${blocks.length}]`;
      const measured = await meter.during(block.name, () => measurement.block(block, place));
      results.push(...measured);
      const load = meter.of(block.name);
      for (const row of tableOf(measured)) say(row);
      if (!isQuiet(load)) say(`  ^ ${block.name} was not quiet: ${sayLoad(load)}`);
    }
  } finally {
    progress.status("");
    processes.end();
  }
  const load = await meter.end();
  const ratios = ratiosOf(results);
  const reached = reachedOf(ratios);
  say("\nhow many times as fast (above 1: what is named first):");
  for (const [key, ratio] of Object.entries(ratios)) say(`${key.padEnd(44)} ${ratio}`);
  say("\ngoals, on two cores of a quiet machine:");
  for (const line of goalLines(reached)) say(line);
  say("");
  for (const [system, note] of processes.notes) say(`${system}: ${note}`);
  for (const line of [...kernelLines(kernels), ...linesOf(load)]) say(line);
  say(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  const run = {
    machine: { ...describeMachine(processes.versions), ...kernels },
    date: new Date().toISOString(),
    load,
    cases: results.map(({ rounds: _, ...result }) => result),
    ratios,
    goals: reached,
  };
  const { json, figure } = targets(options);
  write(json, `${JSON.stringify(run, null, 2)}\n`, say);
  const svg = growthFigure(results);
  if (svg !== undefined) write(figure, svg, say);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(help);
  else await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
