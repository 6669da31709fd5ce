import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { join } from "node:path";
import { RunError, UsageError } from "../command/errors.ts";

/** Who works in a run folder. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

const fileOf = (folder: string): string => join(folder, "lock");

/** Whether the process may still be there; of another machine nobody here can tell. */
function mayLive({ pid, host, since }: Holder): boolean {
  if (host !== hostname()) return true;
  const started = Date.now() - 1000 * uptime();
  if (Date.parse(since) < started) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Who holds a lock that no longer means anything; a thrown sentence where it does. */
function endedHolder(folder: string, text: string): Holder {
  const file = fileOf(folder);
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
  } catch {
    throw new UsageError(`${file} cannot be read; if nothing works in ${folder}, delete that file`);
  }
  const { pid, host, since } = holder;
  if (!mayLive(holder)) return holder;
  throw new UsageError(
    `process ${pid} on ${host} works in ${folder} since ${since}; wait for its end or stop it, or delete ${file} if that process is another one`,
  );
}

/** Throws a `UsageError` where a process works in a run folder. */
export function checkUnlocked(folder: string): void {
  const text = read(fileOf(folder));
  if (text !== undefined) endedHolder(folder, text);
}

/**
 * A file that stands in a run folder as long as a process writes there, so that no second one does.
 */
export class Lock {
  readonly #file: string;
  readonly #release = () => this.release();

  private constructor(file: string) {
    this.#file = file;
    process.on("exit", this.#release);
  }

  /**
   * Takes the lock of a folder. That of a process that has ended is taken over, and told to `say`.
   *
   * Throws a `UsageError` where a process has it, and a `RunError` where nothing can be written.
   */
  static take(folder: string, say: (line: string) => void): Lock {
    const file = fileOf(folder);
    if (create(folder)) return new Lock(file);
    const text = read(file);
    if (text !== undefined) {
      const { pid, since } = endedHolder(folder, text);
      remove(folder, text);
      say(`${folder}: took over the lock of process ${pid}, since ${since}, which has ended`);
    }
    if (create(folder)) return new Lock(file);
    throw new UsageError(`${folder}: another process has just begun to work there`);
  }

  release(): void {
    process.off("exit", this.#release);
    rmSync(this.#file, { force: true });
  }
}

/** Makes the file, unless there is one. */
function create(folder: string): boolean {
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
  };
  const file = fileOf(folder);
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new RunError(`cannot write in ${folder}: ${message}`);
  }
  try {
    writeSync(descriptor, JSON.stringify(holder));
    return true;
  } catch (error) {
    rmSync(file, { force: true });
    throw new RunError(`${file}: ${(error as Error).message}`);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes a lock that was read, but not one that another process has put in its place. */
function remove(folder: string, text: string): void {
  const file = fileOf(folder);
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new RunError(`cannot write in ${folder}: ${(error as Error).message}`);
  }
  if (read(aside) === text) rmSync(aside, { force: true });
  else renameSync(aside, file);
}
