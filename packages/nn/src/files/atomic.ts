/// <reference types="node" />
import { link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkKind, checkPath, placeOf } from "./place.ts";
import { writeProblem } from "./problems.ts";
import { removeAbandoned, temporaryBeside } from "./temporary.ts";

/** Whether a file that is there already may be replaced: the target, if it is a symbolic link. */
export interface OverwriteOption {
  /** False unless given. */
  readonly overwrite?: boolean;
}

/**
 * Writes a file so that it is there whole or not at all, even when the machine stops midway: into a
 * temporary file beside it, flushed to the disk, and then put in place. Temporary files that a
 * killed process left beside it are removed. A symbolic link stays: its target is replaced.
 *
 * @throws (rejects) when the file exists, or a symbolic link of this name, and `overwrite` is not
 *   set; when something else than a file is there, or the folder cannot be written to
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { writeFileAtomic } from "@chronograd/nn/node";
 *
 * const path = join(tmpdir(), `example-${process.pid}.txt`);
 * await writeFileAtomic(path, "whole", { overwrite: true });
 * await readFile(path, "utf8"); // => "whole"
 * ```
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  options: OverwriteOption = {},
): Promise<void> {
  checkOptions("writeFileAtomic", options, ["overwrite"]);
  checkPath(path, "writeFileAtomic");
  const { overwrite = false } = options;
  const place = overwrite ? placeOf(path) : path;
  await saying("writeFileAtomic", place, async () => {
    await checkKind(place);
    await writeBeside(place, data, (temporary) =>
      // Unlike rename, link fails where the file exists, and no other program can come in between.
      overwrite ? rename(temporary, place) : link(temporary, place),
    );
  });
}

/** Says what could not be written, and who says so. */
export async function saying(where: string, path: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw new Error(`${where}: ${writeProblem(path, error)}`, { cause: error });
  }
}

/**
 * Writes a temporary file beside `path`, flushed to the disk, and lets `put` bring it where it
 * belongs. Whatever happens, no temporary file stays.
 */
export async function writeBeside(
  path: string,
  data: Uint8Array | string,
  put: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await removeAbandoned(path);
    await writeThrough(temporary, data);
    await put(temporary);
    await flushFolder(dirname(path));
  } finally {
    await remove(temporary);
  }
}

/** Removes a file, if it is there; an error on the way to it is no news. */
export async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

/** Writes a new file, and flushes it to the disk. */
export async function writeThrough(path: string, data: Uint8Array | string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a new name in a folder last; systems that cannot open folders do so by themselves. */
async function flushFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EISDIR" && code !== "EPERM" && code !== "EINVAL" && code !== "EACCES")
      throw error;
  }
}
