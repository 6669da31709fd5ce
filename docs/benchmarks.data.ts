import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Case {
  readonly name: string;
  readonly system: string;
  readonly median_ms: number;
  readonly spread: number;
  readonly config: Readonly<Record<string, number | string>>;
}

interface Benchmark {
  readonly date: string;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
  readonly ratios: Readonly<Record<string, number>>;
}

/** One model at one size: the median of every system, in milliseconds. */
interface Row {
  readonly name: string;
  readonly fields: readonly { text: string; title: string; best: boolean }[];
}

/** A row of `npm run bench:memory`; bytes are those of kernel memory. */
interface MemoryRow {
  readonly T: number;
  readonly B: number;
  readonly memory?: "all" | { readonly steps: number } | { readonly bytes: number };
  readonly within?: number;
  readonly peak: number;
  readonly loopPeak: number;
  readonly linear: number;
  readonly rerun?: number;
  readonly seconds: number;
}

/** One run of the benchmark as a table. */
interface Table {
  readonly date: string;
  readonly machine: string;
  readonly systems: readonly string[];
  readonly rows: readonly Row[];
  readonly ratios: readonly (readonly [key: string, ratio: number])[];
}

/** What the page shows, where it was measured. */
export interface Results {
  readonly steps: Table | null;
  readonly minibatches: Table | null;
  readonly memory: { readonly date: string; readonly rows: readonly string[][] } | null;
  readonly figure: string;
}

declare const data: Results;

export { data };

const folder = new URL("../bench/results/", import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, folder));

function read(name: string): string | undefined {
  return existsSync(path(name)) ? readFileSync(path(name), "utf8") : undefined;
}

function milliseconds(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The cases of a run whose names match, and its ratios. */
function tableOf(text: string | undefined, cases: RegExp): Table | null {
  if (text === undefined) return null;
  const run = JSON.parse(text) as Benchmark;
  const training = run.cases.filter(({ name }) => cases.test(name));
  const isOurs = (system: string): number => Number(system.startsWith("chronograd"));
  const systems = [...new Set(training.map(({ system }) => system))].sort(
    (a, b) => isOurs(b) - isOurs(a),
  );
  const names = [...new Set(training.map(({ name }) => name))];
  const rows = names.map((name) => {
    const mine = training.filter((one) => one.name === name);
    const least = Math.min(...mine.map(({ median_ms }) => median_ms));
    const fields = systems.map((system) => {
      const found = mine.find((one) => one.system === system);
      if (found === undefined) return { text: "", title: "", best: false };
      return {
        text: milliseconds(found.median_ms),
        title: `interquartile range ${milliseconds(found.spread)} ms`,
        best: found.median_ms === least,
      };
    });
    return { name, fields };
  });
  const { cpu, cores } = run.machine;
  const machine = `${String(cpu ?? "")}, ${String(cores ?? "")} cores`;
  return {
    ...{ date: run.date.slice(0, 10), machine, systems, rows },
    ratios: Object.entries(run.ratios),
  };
}

const megabytes = (bytes: number): string => Number((bytes / 1e6).toPrecision(3)).toString();

function budgetOf({ memory, within }: MemoryRow): string {
  if (within !== undefined) return `${megabytes(within)} MB for everything`;
  if (memory === undefined) return "recorded step by step";
  if (memory === "all") return "all";
  return "steps" in memory ? `${memory.steps} steps` : `${megabytes(memory.bytes)} MB`;
}

/** T, rows, budget, peaks in MB, steps run again, seconds, times those of keeping all. */
function memoryOf(text: string | undefined): Results["memory"] {
  if (text === undefined) return null;
  const { date, rows } = JSON.parse(text) as { date: string; rows: readonly MemoryRow[] };
  return {
    date: date.slice(0, 10),
    rows: rows.map((row) => {
      const { T, B, loopPeak, peak, linear, rerun, seconds } = row;
      const all = rows.find((one) => one.T === T && one.B === B && one.memory === "all");
      return [
        ...[T.toLocaleString("en"), String(B), budgetOf(row)],
        ...[loopPeak, peak, linear].map(megabytes),
        rerun?.toLocaleString("en") ?? "",
        seconds >= 100 ? seconds.toFixed(0) : seconds.toPrecision(3),
        all === undefined ? "" : (seconds / all.seconds).toFixed(2),
      ];
    }),
  };
}

export default {
  watch: ["latest.json", "minibatch.json", "memory.json"].map(path),
  load(): Results {
    return {
      steps: tableOf(read("latest.json"), /^(lstm|gru|custom)-/),
      minibatches: tableOf(read("minibatch.json") ?? read("latest.json"), /^minibatch-/),
      memory: memoryOf(read("memory.json")),
      figure: read("growth.svg") ?? "",
    };
  },
};
