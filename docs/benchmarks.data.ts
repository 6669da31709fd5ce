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
  readonly machine: Readonly<Record<string, unknown>> & {
    readonly environment?: Readonly<Record<string, string>>;
    readonly kernels?: Readonly<Record<string, string>>;
    readonly kernels_without?: Readonly<Record<string, string>>;
  };
  /** Whether nobody else used the machine, and the blocks in which somebody did. */
  readonly load?: { readonly quiet: boolean; readonly noisy: Readonly<Record<string, unknown>> };
  readonly cases: readonly Case[];
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals?: readonly Goal[];
}

/** A ratio that is aimed at, and what was measured. */
interface Goal {
  readonly ratio: string;
  readonly goal: number;
  readonly measured: number | null;
  readonly state: string;
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

/** The cases of one kind as a table. */
interface Table {
  readonly systems: readonly string[];
  readonly rows: readonly Row[];
}

/** One run of the benchmark. */
interface Run {
  readonly date: string;
  readonly machine: string;
  /** What others did on the machine meanwhile. */
  readonly load: string;
  readonly kernels: readonly (readonly [system: string, what: string])[];
  readonly steps: Table;
  readonly minibatches: Table;
  /** Characters a second in the loop of `npm start`, by system. */
  readonly start: readonly (readonly [system: string, characters: string])[];
  readonly goals: readonly Goal[];
  readonly ratios: readonly (readonly [key: string, ratio: number])[];
}

/** What the page shows, where it was measured. */
export interface Results {
  readonly run: Run | null;
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

/** The cases whose names match. */
function tableOf(run: Benchmark, cases: RegExp): Table {
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
  return { systems, rows };
}

function charactersOf({ cases }: Benchmark): [system: string, characters: string][] {
  return cases
    .filter(({ name }) => name === "start")
    .map(({ system, config, median_ms }): [string, number] => [
      system,
      (1000 * Number(config.tokens)) / median_ms,
    ])
    .sort(([, a], [, b]) => b - a)
    .map(([system, rate]) => [system, Number(rate.toPrecision(3)).toLocaleString("en")]);
}

function loadOf({ load }: Benchmark): string {
  if (load === undefined) return "The load of the machine was not measured.";
  if (load.quiet) return "The machine was quiet.";
  const noisy = Object.keys(load.noisy);
  return `Others used the machine${noisy.length === 0 ? " before or after" : ` during ${noisy.join(", ")}`}: these figures mean less.`;
}

function kernelsOf({ machine }: Benchmark): [system: string, what: string][] {
  const { environment = {}, kernels = {}, kernels_without: without = {} } = machine;
  const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const held = ([system, what]: [string, string]): [string, string] => {
    const other = without[system];
    return [system, other === undefined || other === what ? what : `${what}, and else ${other}`];
  };
  return [
    ...Object.entries(kernels).map(held),
    ...(set.length === 0 ? [] : [["the environment", set.join(", ")] as [string, string]]),
  ];
}

function runOf(text: string | undefined): Run | null {
  if (text === undefined) return null;
  const run = JSON.parse(text) as Benchmark;
  const { cpu, cores } = run.machine;
  return {
    date: run.date.slice(0, 10),
    machine: `${String(cpu ?? "")}, ${String(cores ?? "")} cores`,
    load: loadOf(run),
    kernels: kernelsOf(run),
    steps: tableOf(run, /^(lstm|gru|custom)-/),
    minibatches: tableOf(run, /^minibatch-/),
    start: charactersOf(run),
    goals: run.goals ?? [],
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
  watch: ["latest.json", "memory.json"].map(path),
  load(): Results {
    return {
      run: runOf(read("latest.json")),
      memory: memoryOf(read("memory.json")),
      figure: read("growth.svg") ?? "",
    };
  },
};
