/// <reference types="node" />
import { randomUUID } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { checkOptions } from "@chronograd/autodiff/internal";

/** Whether a file that is there already may be replaced. */
export interface OverwriteOption {
  /** False unless given. */
  readonly overwrite?: boolean;
}

/**
 * Writes a file so that it is there whole or not at all, even when the machine stops midway: into a
 * temporary file beside it, flushed to the disk, and then put in place.
 *
 * @throws (rejects) when the file exists and `overwrite` is not set, or the folder cannot be
 *   written to
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
  const { overwrite = false } = options;
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await writeThrough(temporary, data);
    if (overwrite) await rename(temporary, path);
    // Unlike rename, link fails where the file exists, and no other program can come in between.
    else await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new Error(
        `writeFileAtomic: "${path}" exists already; choose another name, or pass { overwrite: true }`,
        { cause: error },
      );
    }
    throw new Error(`writeFileAtomic: could not write "${path}": ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    await rm(temporary, { force: true });
  }
  await flushFolder(dirname(path));
}

async function writeThrough(path: string, data: Uint8Array | string): Promise<void> {
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
