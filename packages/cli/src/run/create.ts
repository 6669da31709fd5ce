import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { RunError, UsageError } from "../command/errors.ts";
import { checkFree } from "../command/writeOutput.ts";
import { format, readRun } from "./description.ts";
import { RunFolder } from "./folder.ts";
import { checkUnlocked, Lock } from "./lock.ts";

/** What `createRun` takes. */
export interface RunOptions {
  /** What makes the run, such as "train". */
  readonly kind: string;
  /** Kept in `run.json`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Name of the folder. */
  readonly name?: string | undefined;
  /** Without a name, the folder is the first free of `stem-1`, `stem-2`, ... */
  readonly stem?: string;
  /** The folder that it stands in: "runs". */
  readonly parent?: string;
  /** Replaces an earlier run of that name, which is kept as `NAME.previous`. */
  readonly force?: boolean;
}

/** A run folder that is not there yet. */
function freePath({ kind, name, stem = kind, parent = "runs", force = false }: RunOptions): string {
  if (name === undefined) {
    for (let i = 1; ; i++) {
      const path = join(parent, `${stem}-${i}`);
      if (!existsSync(path)) return path;
    }
  }
  if (!/^[\w.-]+$/.test(name) || /^\.+$/.test(name)) {
    throw new UsageError(
      `--name may hold letters, digits, ".", "_" and "-", got ${JSON.stringify(name)}`,
    );
  }
  const path = join(parent, name);
  if (!existsSync(path)) return path;
  checkFree(path, force, "--name");
  readRun(path);
  checkUnlocked(path);
  const previous = `${path}.previous`;
  if (existsSync(previous)) {
    readRun(previous);
    checkUnlocked(previous);
    rmSync(previous, { recursive: true });
  }
  renameSync(path, previous);
  return path;
}

/**
 * Makes a new run folder. Throws a `UsageError` where one of its name is there and `force` is not
 * given, or where `force` would move a folder that is no run.
 */
export async function createRun(options: RunOptions): Promise<RunFolder> {
  const path = freePath(options);
  const began = new Date().toISOString();
  const run = { format, kind: options.kind, began, options: options.options };
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Of two runs that begin at once, one has the folder.
    mkdirSync(path);
  } catch (error) {
    throw new RunError(`cannot make the folder ${path}: ${(error as Error).message}`);
  }
  const folder = new RunFolder(path, run, { lock: Lock.take(path, () => {}), lines: 0 });
  try {
    await folder.write("run.json", `${JSON.stringify(run, null, 2)}\n`);
    return folder;
  } catch (error) {
    folder.close();
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
}
