import { existsSync } from "node:fs";
import { writeFileAtomic } from "@chronograd/nn/node";
import { RunError, UsageError } from "./errors.ts";

/**
 * Throws a `UsageError` where something is there that `--force` was not given to replace.
 *
 * @param flag the option that names it, if one does
 */
export function checkFree(path: string, force: boolean, flag?: string): void {
  if (force || !existsSync(path)) return;
  throw new UsageError(
    `${flag === undefined ? "" : `${flag}: `}${path} exists already; choose another name, or give --force`,
  );
}

/** Tells in a `RunError` why the disk refuses, without the name of the function that says so. */
export async function orRefuse<T>(work: Promise<T>): Promise<T> {
  return await work.catch((error: Error) => {
    throw new RunError(error.message.replace(/^\w+: /, ""));
  });
}

/** Writes a file, whole or not at all, over an earlier one. */
export async function writeOutput(path: string, contents: string | Uint8Array): Promise<void> {
  await orRefuse(writeFileAtomic(path, contents, { overwrite: true }));
}
