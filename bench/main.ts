import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseBlocks } from "./cases.ts";
import { growthFigure } from "./growth.ts";
import { describeMachine } from "./machine.ts";
import { Measurement, type Result } from "./measure.ts";
import { help, type Options, parseOptions, UsageError } from "./options.ts";
import { Processes } from "./place.ts";
import { makeProgress } from "./progress.ts";
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
  const blocks = chooseBlocks(options);
  if (blocks.length === 0) throw new UsageError(`no case has "${options.filter}" in its name`);
  const systems = new Set(blocks.flatMap(({ entries }) => entries.map(({ system }) => system)));
  const needs = new Set([...systems].map(({ need }) => need));
  const processes = new Processes(setUpPeers(needs, progress.say));
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
  const results: Result[] = [];
  try {
    const measurement = new Measurement(processes, options, progress);
    const busy = loadavg()[0]!;
    if (busy > 0.5)
      progress.say(`the machine is busy (load ${busy.toFixed(1)}): figures mean little`);
    progress.say(legend);
    for (const [i, block] of blocks.entries()) {
      const measured = await measurement.block(block, `[${i + 1}/${blocks.length}]`);
      results.push(...measured);
      for (const row of tableOf(measured)) progress.say(row);
    }
  } finally {
    progress.status("");
    processes.end();
  }
  const ratios = ratiosOf(results);
  progress.say("\nhow many times as fast (above 1: what is named first):");
  for (const [key, ratio] of Object.entries(ratios)) progress.say(`${key.padEnd(44)} ${ratio}`);
  progress.say("");
  for (const [system, note] of processes.notes) progress.say(`${system}: ${note}`);
  progress.say(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  const machine = describeMachine(processes.versions);
  const date = new Date().toISOString();
  const { json, figure } = targets(options);
  write(
    json,
    `${JSON.stringify({ machine, date, cases: results, ratios }, null, 2)}\n`,
    progress.say,
  );
  const svg = growthFigure(results);
  if (svg !== undefined) write(figure, svg, progress.say);
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
