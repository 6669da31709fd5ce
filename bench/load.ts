import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** CPU time since the machine started, in seconds over all cores. */
export interface CpuTimes {
  /** When this was read, in seconds. */
  readonly at: number;
  /** Of all processes. */
  readonly busy: number;
  /** Of other machines on the same processor. */
  readonly stolen: number;
  /** Of this process and all that it started. */
  readonly own: number;
}

/** Shares of the machine's CPU time, from 0 to 1, that were not the benchmark's. */
export interface Load {
  readonly others: number;
  readonly stolen: number;
}

/** Clock ticks in a second, as Linux counts them in /proc on every architecture. */
const ticks = 100;

/** The times of /proc/stat: all processors together are in its first line (proc(5)). */
export function readStat(stat: string): Pick<CpuTimes, "busy" | "stolen"> {
  const [user, nice, system, , , interrupts, softInterrupts, stolen] = stat
    .slice(0, stat.indexOf("\n"))
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number];
  return {
    busy: (user + nice + system + interrupts + softInterrupts) / ticks,
    stolen: stolen / ticks,
  };
}

/** A process, as /proc/<pid>/stat describes it. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Seconds of itself and of its children that have ended. */
  readonly seconds: number;
}

/** The name of a program, in parentheses, may have any character in it. */
export function readProcess(stat: string): ProcessTimes {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const spent = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number.parseInt(stat, 10), parent: Number(fields[1]), seconds: spent / ticks };
}

/**
 * Seconds of a process and all its descendants. A child that ends passes its time on to its parent,
 * so this only grows.
 */
export function secondsOf(root: number, processes: readonly ProcessTimes[]): number {
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  return processes.reduce((sum, { pid, seconds }) => sum + (family.has(pid) ? seconds : 0), 0);
}

/** The times now; `undefined` where there is no /proc. */
export function cpuTimes(): CpuTimes | undefined {
  try {
    const times = readStat(readFileSync("/proc/stat", "utf8"));
    return { at: performance.now() / 1000, ...times, own: secondsOf(process.pid, processes()) };
  } catch {
    return undefined;
  }
}

function processes(): ProcessTimes[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readProcess(readFileSync(`/proc/${pid}/stat`, "utf8"))];
      } catch {
        // It has ended since.
        return [];
      }
    });
}

/** The load between two moments; `undefined` where it is not known. */
export function loadBetween(
  from: CpuTimes | undefined,
  to: CpuTimes | undefined,
  cores: number = availableParallelism(),
): Load | undefined {
  if (from === undefined || to === undefined) return undefined;
  const all = (to.at - from.at) * cores;
  const others = to.busy - from.busy - (to.own - from.own);
  const share = (seconds: number): number =>
    all > 0 ? Math.min(1, Math.max(0, seconds / all)) : 0;
  return { others: share(others), stolen: share(to.stolen - from.stolen) };
}
