/// <reference types="node" />
import { type Backend, tensor, tree as trees } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkBackend, shown } from "../checks.ts";
import { decodeCheckpoint, Unreadable } from "./checkpoint.ts";
import { firstDifference, StoredTensor, typeOf } from "./difference.ts";
import { checkPath, placeOf } from "./place.ts";
import { readProblem } from "./problems.ts";
import { readBytes } from "./read.ts";

/** What a checkpoint must be, and where its tensors are made. */
export interface LoadCheckpointOptions<T> {
  /**
   * A tree such as the file must hold: the same keys, lengths of arrays, dtypes, shapes, and kinds
   * of plain values. What is not named at its root, the file may hold in any structure:
   * `{ params }` checks the parameters alone.
   */
  readonly like?: T;
  /** What `saveCheckpoint` was given; a file of another model is refused. */
  readonly model?: unknown;
  /** Where tensors are made: on the backend of those in `like`, else on the default one. */
  readonly backend?: Backend;
}

/**
 * The tree that `saveCheckpoint` wrote, bit for bit, with new tensors.
 *
 * Every byte of the file is checked by its sha256 before anything else.
 *
 * @throws (rejects) when the file is missing, damaged, no checkpoint, no file but a pipe or a
 *   device, or of another version of the format; if the one before it, `path.previous`, can be
 *   loaded instead, the sentence says so. When the file is of another `model`, or not like `like`:
 *   with the first difference
 *
 * @example
 * ```ts
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { tensor, zeros } from "@chronograd/autodiff";
 * import { loadCheckpoint, saveCheckpoint } from "@chronograd/nn/node";
 *
 * const path = join(tmpdir(), `example-${process.pid}-load.checkpoint`);
 * await saveCheckpoint(path, { params: { b: tensor([1, 2]) }, losses: [2.5, NaN] });
 * const { params } = await loadCheckpoint(path, { like: { params: { b: zeros([2]) } } });
 * params.b.toArray(); // => [1, 2]
 * ```
 */
export async function loadCheckpoint<T = unknown>(
  path: string,
  options: LoadCheckpointOptions<T> = {},
): Promise<T> {
  checkOptions("loadCheckpoint", options, ["like", "model", "backend"]);
  checkPath(path, "loadCheckpoint");
  checkBackend(options.backend, "loadCheckpoint");
  const found = await read(path, options);
  const backend = options.backend ?? trees.leaves(options.like)[0]?.backend;
  const isStored = (value: unknown) => value instanceof StoredTensor;
  return trees.map<unknown, unknown, StoredTensor>(
    found,
    ({ stored: { data, shape, dtype } }) =>
      tensor(data, { shape, dtype, ...(backend && { backend }) }),
    isStored,
  ) as T;
}

/** The tree of a file, once everything that is asked of it holds. */
async function read(path: string, options: LoadCheckpointOptions<unknown>): Promise<unknown> {
  const { like, model } = options;
  const found = await readBytes(path)
    .then(decodeCheckpoint)
    .catch(async (error: Error) => {
      throw new Error(`loadCheckpoint: ${problem(path, error)}${await wayOut(path, options)}`, {
        cause: error,
      });
    });
  if (model !== undefined) {
    const other = firstDifference(found.model, model, shown);
    if (other !== undefined) {
      throw new TypeError(
        `loadCheckpoint: "${path}" is of another model: ${said(other, "model")}; load it with the model that it was saved with`,
      );
    }
  }
  if (like !== undefined) {
    const other = firstDifference(found.tree, like, typeOf, true);
    if (other !== undefined) {
      throw new TypeError(
        `loadCheckpoint: "${path}" is not like the tree given: ${said(other, "tree")}; load it into the structure that was saved, or leave that part out of like`,
      );
    }
  }
  return found.tree;
}

function problem(path: string, error: Error): string {
  return error instanceof Unreadable ? `"${path}" ${error.message}` : readProblem(path, error);
}

/** Names the checkpoint before this one, if it would do. */
async function wayOut(path: string, options: LoadCheckpointOptions<unknown>): Promise<string> {
  if (path.endsWith(".previous")) return "";
  const previous = `${placeOf(path)}.previous`;
  const isGood = await read(previous, options).then(
    () => true,
    () => false,
  );
  return isGood ? `; the checkpoint before it is whole: load "${previous}"` : "";
}

function said(
  { path, found, expected }: { path: string; found: string; expected: string },
  root: string,
): string {
  return `${path === "" ? `the ${root}` : `"${path}"`} is ${found} in the file and ${expected} is expected`;
}
