// Starts programs under mpiexec, for the tests of several packages.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "vitest";

/** A launcher, and the library that belongs to it where it is not the one that is found. */
export interface Launcher {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly library?: string;
}

const folders = (process.env.PATH ?? "").split(delimiter);

/** The first of some commands on the search path whose version says `text`. */
function find(commands: readonly string[], text: RegExp): string | undefined {
  const paths = commands.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => {
    return existsSync(path) && text.test(execFileSync(path, ["--version"], { encoding: "utf8" }));
  });
}

const openMpi = find(["mpiexec.openmpi", "mpiexec"], /Open MPI|OpenRTE/);
const mpich = find(["mpiexec.mpich", "mpiexec.hydra", "mpiexec"], /HYDRA/);

/** The launchers that the system has. */
export const launchers: readonly Launcher[] = [
  ...(openMpi === undefined
    ? []
    : [
        {
          name: "Open MPI",
          command: openMpi,
          // More ranks than cores, and in a container as root.
          arguments: ["--allow-run-as-root", "--oversubscribe"],
        },
      ]),
  ...(mpich === undefined ? [] : [{ name: "MPICH", command: mpich, arguments: [] }]),
];

/**
 * Those of installations with a library of the standard ABI, which `CHRONOGRAD_TESTS_MPI_ABI`
 * names: folders with `bin/mpiexec` and `lib/libmpi_abi.so.1`, as `pip install mpich` and `pip
 * install impi-rt` make them in a virtual environment.
 */
export const standardLaunchers: readonly Launcher[] = (process.env.CHRONOGRAD_TESTS_MPI_ABI ?? "")
  .split(delimiter)
  .filter((folder) => folder !== "")
  .map((folder) => ({
    name: `the standard ABI in ${folder}`,
    command: join(folder, "bin", "mpiexec"),
    arguments: [],
    library: join(folder, "lib", "libmpi_abi.so.1"),
  }));

/** Where CI has installed both, their absence is a fault, not a reason to skip. */
export const isExpected: boolean = process.env.CHRONOGRAD_EXPECTS_MPI !== undefined;

/** A test for each launcher; skipped, visibly, where there is none. */
export const testWithMpi: typeof test = test.skipIf(launchers.length < 2 && !isExpected) as never;

/** What became of a program. */
export interface Ended {
  readonly code: number | null;
  /** Both outputs. */
  readonly said: string;
  readonly seconds: number;
  /** Processes of it that are still there. */
  readonly left: readonly number[];
}

let count = 0;

/** A process that no launcher starts. */
export const alone: Launcher = { name: "alone", command: "", arguments: [] };

interface Place {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Seconds after which all is killed. */
  readonly most?: number;
}

/** Runs a program on so many ranks, to its end. */
export async function launch(
  launcher: Launcher,
  ranks: number,
  program: readonly string[],
  { env = {}, cwd, most = 40 }: Place = {},
): Promise<Ended> {
  const mark = `${process.pid}-${count++}`;
  const { library } = launcher;
  const begin = performance.now();
  const words = [process.execPath, "--no-warnings", "--conditions=@chronograd/source", ...program];
  if (launcher !== alone) {
    words.unshift(launcher.command, ...launcher.arguments, "-n", String(ranks));
  }
  const [command = "", ...rest] = words;
  const child = spawn(command, rest, {
    cwd,
    env: {
      ...process.env,
      ...(library && { CHRONOGRAD_MPI: library }),
      ...env,
      CHRONOGRAD_TESTS_MARK: mark,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  const timer = setTimeout(() => end(mark), most * 1000);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  const seconds = (performance.now() - begin) / 1000;
  // What was killed is a zombie until its parent has seen it.
  for (let look = 0; look < 20 && marked(mark).length > 0; look++) await delay(25);
  return { code, said, seconds, left: end(mark) };
}

/** Kills what is there of a program. */
function end(mark: string): readonly number[] {
  const left = marked(mark);
  for (const pid of left) process.kill(pid, "SIGKILL");
  return left;
}

/** Processes that a launch has started, whatever became of their parents. */
function marked(mark: string): number[] {
  const text = `CHRONOGRAD_TESTS_MARK=${mark}\0`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return `${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`.includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
