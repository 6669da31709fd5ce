/// <reference types="node" />
import { link, lstat, rename } from "node:fs/promises";
import { remove, writeThrough } from "./atomic.ts";
import { beginsAsCheckpoint, isWhole } from "./checkpoint.ts";
import { checkKind } from "./place.ts";
import { writeProblem } from "./problems.ts";
import { readBytes } from "./read.ts";
import { temporaryBeside } from "./temporary.ts";

const otherThing = "it holds something else than a checkpoint; choose another name";

/**
 * The whole checkpoint that stands at `path`, if one does, once it is sure that both `path` and
 * `path.previous` may be replaced. A damaged file is not kept: the one before it stays.
 */
export async function replaceable(path: string): Promise<Uint8Array | undefined> {
  const earlier = (await checkKind(path)) ? await readBytes(path) : new Uint8Array();
  const isKept = isWhole(earlier);
  if (!isKept && !isRest(earlier)) throw new Error(otherThing);
  await checkPrevious(`${path}.previous`).catch((error: unknown) => {
    throw unkept(path, error);
  });
  return isKept ? earlier : undefined;
}

async function checkPrevious(path: string): Promise<void> {
  if (!(await checkKind(path, lstat))) return;
  if (!isRest(await readBytes(path, 64))) throw new Error(otherThing);
}

/** Whether a file is a checkpoint, or what was left of one. */
function isRest(bytes: Uint8Array): boolean {
  return bytes.length === 0 || beginsAsCheckpoint(bytes);
}

/**
 * A second name for the checkpoint that is about to be replaced. Each of the two renames replaces
 * one whole file by another, so `path` is whole before, between and after them.
 */
export async function keep(path: string, earlier: Uint8Array): Promise<void> {
  const kept = temporaryBeside(path);
  try {
    // Some file systems have no second names.
    await link(path, kept).catch(() => writeThrough(kept, earlier));
    await rename(kept, `${path}.previous`);
  } catch (error) {
    throw unkept(path, error);
  } finally {
    await remove(kept);
  }
}

function unkept(path: string, error: unknown): Error {
  const problem = writeProblem(`${path}.previous`, error);
  return new Error(`an earlier one could not be kept: ${problem}`);
}
