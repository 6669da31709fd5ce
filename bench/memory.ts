// `npm run bench:memory`: what the full gradient of a long sequence takes, by the memory that it is
// given. Prints a table and writes results/memory.json; `-- --long` adds T = 1,000,000.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeMachine } from "./machine.ts";
import type { MemoryCase, MemoryRow } from "./memoryRow.ts";
import { round } from "./statistics.ts";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const MB = 1e6;

function runRow(what: MemoryCase) {
  const args = ["--conditions=@chronograd/source", path("memoryRow.ts"), JSON.stringify(what)];
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}

/** The smallest budget, which the refusal of a smaller one names. */
function leastFor(what: MemoryCase): number {
  const { stderr } = runRow({ ...what, memory: { bytes: 1 } });
  const needed = /needs \{ bytes: (\d+) \}/.exec(stderr)?.[1];
  if (needed === undefined) throw new Error(`bench: no refusal names a budget: ${stderr.trim()}`);
  return Number(needed);
}

function measure(what: MemoryCase): MemoryRow {
  const { status, stdout, stderr } = runRow(what);
  if (status !== 0) throw new Error(`bench: a row ended with ${status}: ${stderr.trim()}`);
  return JSON.parse(stdout) as MemoryRow;
}

const megabytes = (bytes: number): string => round(bytes / MB, 3).toString();

function named({ memory, within }: MemoryCase): string {
  if (within !== undefined) return `all within ${megabytes(within)} MB`;
  if (memory === undefined) return "none (recorded)";
  if (memory === "all") return '"all"';
  return "steps" in memory ? `${memory.steps} steps` : `${megabytes(memory.bytes)} MB`;
}

const rows: MemoryRow[] = [];
const widths = [9, 4, 19, 10, 10, 10, 9, 11, 9, 8, 9];
function say(fields: readonly string[]): void {
  console.log(fields.map((text, i) => text.padStart(widths[i]!)).join(" "));
}

/** Measures a row and prints it, compared with one that keeps everything. */
function add(what: MemoryCase, all?: MemoryRow): MemoryRow {
  const row = measure(what);
  rows.push(row);
  const { T, B, loopPeak, peak, linear, states, rerun, seconds } = row;
  say([
    ...[T, B].map(String),
    named(row),
    ...[loopPeak, peak, linear].map(megabytes),
    ...[states, rerun].map((count) => count?.toString() ?? ""),
    seconds >= 10 ? seconds.toFixed(0) : seconds.toPrecision(3),
    all === undefined ? "" : `${round(seconds / all.seconds, 3)}`,
    all === undefined ? "" : all.digest === row.digest ? "same" : "differs",
  ]);
  return row;
}

const { values } = parseArgs({ options: { long: { type: "boolean" } } });
console.log("LSTM(128), full BPTT, float32, loss inside the step; MB of kernel memory");
say(
  "T,B,memory,loop peak,peak,linear,states,run again,seconds,times,gradient"
    .split(",")
    .map((name) => name),
);
const usual = { T: 1000, B: 32, H: 128, repeat: 3 };
add(usual);
const all = add({ ...usual, memory: "all" });
for (const steps of [100, 32, 10, 3]) add({ ...usual, memory: { steps } }, all);
for (const part of [4, 8, 16]) {
  add({ ...usual, memory: { bytes: Math.round(all.loopPeak / part) } }, all);
}
add({ ...usual, memory: { bytes: leastFor(usual) } }, all);
const long = { T: 100_000, B: 1, H: 128, repeat: 0 };
const longAll = add({ ...long, memory: "all" });
add({ ...long, within: 256 * MB }, longAll);
add({ ...long, within: 32 * MB }, longAll);
if (values.long) add({ ...long, T: 1_000_000, within: 512 * MB });
const file = path("results/memory.json");
const data = { machine: describeMachine({}), date: new Date().toISOString(), rows };
writeFileSync(file, `${JSON.stringify(data, null, 2)}\n`);
console.log("wrote bench/results/memory.json");
