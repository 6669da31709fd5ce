/// <reference types="node" />
import { rename } from "node:fs/promises";
import { resolve } from "node:path";
import { checkOptions } from "@chronograd/autodiff/internal";
import { saying, writeBeside } from "./atomic.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import { checkPath, placeOf } from "./place.ts";
import { keep, replaceable } from "./previous.ts";

/** What is saved beside the tree. */
export interface SaveCheckpointOptions {
  /**
   * Says which model the file is of: a name, or a plain tree of names and sizes. `loadCheckpoint`
   * refuses a file of another one.
   */
  readonly model?: unknown;
}

/**
 * Saves a tree as one file, which is there whole or not at all: tensors, numbers (NaN, infinities
 * and -0 too), strings, booleans and null, in plain objects and arrays. `loadCheckpoint` gives it
 * back bit for bit.
 *
 * The file is written aside, flushed and renamed. What stood at `path` becomes `path.previous`:
 * whenever the process is killed, `path` holds a whole checkpoint, the new one or the one before.
 * The tree is read before this returns its promise: what becomes of its tensors later does not
 * matter. Saves to one path wait for each other. Temporary files that killed processes left beside
 * it are removed.
 *
 * A symbolic link at `path` stays: its target is replaced, or made, and `.previous` stands beside
 * the target.
 *
 * The file is a safetensors file, which other programs can open: tensors have their paths as names
 * (`"params.layers.0.W"`), and the metadata holds the plain values as JSON, the version of the
 * format, and the sha256 of everything.
 *
 * @throws (rejects) for a value that would not come back as it is (undefined, a function, an
 *   instance of a class, a typed array, a tensor that is gone or on a tape), two tensors with one
 *   path, and a lone tensor; when `path` or `path.previous` is something else than a checkpoint (a
 *   folder, a pipe, a device, another file), or cannot be written. Then the files are as they were
 *
 * @example
 * ```ts
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { tensor } from "@chronograd/autodiff";
 * import { rng, rngFrom, type RngState } from "@chronograd/nn";
 * import { loadCheckpoint, saveCheckpoint } from "@chronograd/nn/node";
 *
 * const path = join(tmpdir(), `example-${process.pid}.checkpoint`);
 * const noise = rng(1);
 * const params = { W: tensor([[1, 2]]) };
 * const model = { cell: "lstm", hidden: 2 };
 * await saveCheckpoint(path, { params, noise: noise.getState(), window: 12 }, { model });
 *
 * type Saved = { params: typeof params; noise: RngState; window: number };
 * const saved = await loadCheckpoint<Saved>(path, { model });
 * saved.window; // => 12
 * saved.params.W.toArray(); // => [[1, 2]]
 * rngFrom(saved.noise).uniform() === noise.uniform(); // => true
 * ```
 */
export async function saveCheckpoint(
  path: string,
  tree: unknown,
  options: SaveCheckpointOptions = {},
): Promise<void> {
  const where = "saveCheckpoint";
  checkOptions(where, options, ["model"]);
  checkPath(path, where);
  const bytes = encodeCheckpoint(tree, options.model, where);
  const place = placeOf(path);
  await inTurn(resolve(place), () =>
    saying(where, place, async () => {
      const earlier = await replaceable(place);
      await writeBeside(place, bytes, async (temporary) => {
        if (earlier !== undefined) await keep(place, earlier);
        await rename(temporary, place);
      });
    }),
  );
}

/** The last of those who wait, for each path. */
const turns = new Map<string, Promise<void>>();

/** Runs one after the other what belongs to one key. */
async function inTurn(key: string, act: () => Promise<void>): Promise<void> {
  const own = (turns.get(key) ?? Promise.resolve()).then(act);
  const over = own.catch(() => {});
  turns.set(key, over);
  try {
    await own;
  } finally {
    if (turns.get(key) === over) turns.delete(key);
  }
}
