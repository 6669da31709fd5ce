import { existsSync, readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";

/** What the figures were measured on; nothing that names one particular machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly os: string;
  readonly node: string;
  /** Versions of what was measured. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The model's number where the name says little, as in some virtual machines. */
function processor(): string {
  const name = cpus()[0]?.model.trim() ?? "unknown";
  if (!existsSync("/proc/cpuinfo")) return name;
  const field = (key: string): string | undefined =>
    new RegExp(`^${key}\\s*: (.*)$`, "m").exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1];
  const [family, model] = [field("cpu family"), field("model")];
  return family === undefined ? name : `${name} (family ${family}, model ${model})`;
}

function system(): string {
  if (!existsSync("/etc/os-release")) return `${type()} ${release()}, ${arch()}`;
  const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  return `${name ?? type()}, ${arch()}`;
}

export function describeMachine(versions: Readonly<Record<string, string>>): Machine {
  return {
    cpu: processor(),
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    os: system(),
    node: process.version,
    versions: Object.fromEntries(Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
