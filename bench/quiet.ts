import { loadavg } from "node:os";
import { setTimeout } from "node:timers/promises";
import { type CpuTimes, cpuTimes, type Load, loadBetween } from "./load.ts";
import { round } from "./statistics.ts";

/** Shares of the machine's CPU time above which a stretch of a run was not quiet. */
const most: Load = { others: 0.05, stolen: 0.02 };

/** Whether nobody else used the machine; where the load is not known, it cannot be said. */
export function isQuiet(load: Load | undefined): boolean {
  return load !== undefined && load.others <= most.others && load.stolen <= most.stolen;
}

/** The load of a run, as its JSON has it. */
export interface RunLoad {
  /** Whether the machine was quiet before and after the run and in every block. */
  readonly quiet: boolean;
  readonly load_average: { readonly before: number; readonly after: number };
  /** Shares of the machine's CPU time that were not the benchmark's; `null` is unknown. */
  readonly before: Load | null;
  readonly during: Load | null;
  readonly after: Load | null;
  /** The blocks in which the machine was not quiet. */
  readonly noisy: Readonly<Record<string, Load | null>>;
}

const rounded = (load: Load | undefined): Load | null =>
  load === undefined ? null : { others: round(load.others, 2), stolen: round(load.stolen, 2) };

/** What is told of a run's load. */
export function runLoad(
  stretches: Readonly<Record<"before" | "during" | "after", Load | undefined>>,
  blocks: ReadonlyMap<string, Load | undefined>,
  averages: RunLoad["load_average"],
): RunLoad {
  const noisy = [...blocks].filter(([, load]) => !isQuiet(load));
  const { before, during, after } = stretches;
  return {
    quiet: isQuiet(before) && isQuiet(after) && noisy.length === 0,
    load_average: averages,
    ...{ before: rounded(before), during: rounded(during), after: rounded(after) },
    noisy: Object.fromEntries(noisy.map(([name, load]) => [name, rounded(load)])),
  };
}

/** A load in words. */
export function sayLoad(load: Load | null | undefined): string {
  if (load === null || load === undefined) return "unknown";
  const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  return `others ${percent(load.others)}, stolen ${percent(load.stolen)}`;
}

/** The lines about a run's load. */
export function linesOf({ quiet, before, during, after, load_average, noisy }: RunLoad): string[] {
  const parts = [
    `before the run ${sayLoad(before)} (load ${load_average.before})`,
    `during ${sayLoad(during)}`,
    `after ${sayLoad(after)} (load ${load_average.after})`,
  ];
  const names = Object.keys(noisy);
  return [
    `CPU time that was not the benchmark's: ${parts.join("; ")}`,
    quiet
      ? "The machine was quiet."
      : `NOT QUIET: the figures mean less${names.length === 0 ? "" : `, most of all those of ${names.join(", ")}`}.`,
  ];
}

/** Follows the load of a run: a second before, each block, and a second after. */
export class LoadMeter {
  readonly #blocks = new Map<string, Load | undefined>();
  readonly #averageBefore = round(loadavg()[0]!, 2);
  #before: Load | undefined;
  #started: CpuTimes | undefined;

  /** Measures what others do while the benchmark does nothing. */
  async begin(): Promise<Load | undefined> {
    this.#before = await idle();
    this.#started = cpuTimes();
    return this.#before;
  }

  /** Measures a block of the run while `work` is done. */
  async during<T>(block: string, work: () => Promise<T>): Promise<T> {
    const from = cpuTimes();
    const result = await work();
    this.#blocks.set(block, loadBetween(from, cpuTimes()));
    return result;
  }

  /** The load in a block that was measured. */
  of(block: string): Load | undefined {
    return this.#blocks.get(block);
  }

  async end(): Promise<RunLoad> {
    const during = loadBetween(this.#started, cpuTimes());
    const after = await idle();
    const averages = { before: this.#averageBefore, after: round(loadavg()[0]!, 2) };
    return runLoad({ before: this.#before, during, after }, this.#blocks, averages);
  }
}

async function idle(): Promise<Load | undefined> {
  const from = cpuTimes();
  await setTimeout(1000);
  return loadBetween(from, cpuTimes());
}
