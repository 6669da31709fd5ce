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

/** What the page shows; nothing before the benchmark was run. */
export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly systems: readonly string[];
  readonly rows: readonly Row[];
  readonly ratios: readonly (readonly [key: string, ratio: number])[];
  readonly figure: string;
}

declare const data: Results | null;

export { data };

const folder = new URL("../bench/results/", import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, folder));

function milliseconds(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function resultsOf({ date, machine, cases, ratios }: Benchmark): Results {
  const training = cases.filter(({ name }) => /^(lstm|gru|custom)-/.test(name));
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
  const { cpu, cores } = machine;
  const figure = path("growth.svg");
  return {
    date: date.slice(0, 10),
    machine: `${String(cpu ?? "")}, ${String(cores ?? "")} cores`,
    systems,
    rows,
    ratios: Object.entries(ratios),
    figure: existsSync(figure) ? readFileSync(figure, "utf8") : "",
  };
}

export default {
  watch: [path("latest.json")],
  load(): Results | null {
    const file = path("latest.json");
    if (!existsSync(file)) return null;
    return resultsOf(JSON.parse(readFileSync(file, "utf8")) as Benchmark);
  },
};
