/**
 * The entry point to files and worker threads, for Node and compatible runtimes: checkpoints and
 * safetensors written whole or not at all, and one training run on several cores.
 *
 * @packageDocumentation
 */
/// <reference types="node" />
import { type OverwriteOption, writeFileAtomic } from "./files/atomic.ts";
import { decodeSafetensors } from "./files/decode.ts";
import { encodeSafetensors } from "./files/encode.ts";
import { readProblem } from "./files/problems.ts";
import { readBytes } from "./files/read.ts";
import type { Decoded } from "./files/safetensors.ts";

export { type OverwriteOption, writeFileAtomic } from "./files/atomic.ts";
export { type LoadCheckpointOptions, loadCheckpoint } from "./files/loadCheckpoint.ts";
export { type SaveCheckpointOptions, saveCheckpoint } from "./files/saveCheckpoint.ts";
export { type MpiOptions, mpi } from "./parallel/mpi/mpi.ts";
export { type RunWorkersOptions, runWorkers } from "./parallel/runWorkers.ts";

/**
 * Writes a tree of tensors to a safetensors file. See `encodeSafetensors` and `writeFileAtomic`.
 *
 * The tensors are read before this returns its promise: what becomes of them later does not matter.
 *
 * @throws (rejects) when the file exists and `overwrite` is not set, or the tree cannot be encoded
 *
 * @example
 * ```ts
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { tensor } from "@chronograd/autodiff";
 * import { readSafetensors, writeSafetensors } from "@chronograd/nn/node";
 *
 * const path = join(tmpdir(), `example-${process.pid}.safetensors`);
 * await writeSafetensors(path, { W: tensor([1, 2]) }, { epoch: "3" }, { overwrite: true });
 * (await readSafetensors(path)).metadata.epoch; // => "3"
 * ```
 */
export async function writeSafetensors(
  path: string,
  tree: unknown,
  metadata: Readonly<Record<string, string>> = {},
  options: OverwriteOption = {},
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tree, metadata), options);
}

/**
 * Reads a safetensors file. See `decodeSafetensors`.
 *
 * @throws (rejects) when the file cannot be read or is malformed
 *
 * @example
 * ```ts
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { tensor } from "@chronograd/autodiff";
 * import { readSafetensors, writeSafetensors } from "@chronograd/nn/node";
 *
 * const path = join(tmpdir(), `example-${process.pid}-read.safetensors`);
 * await writeSafetensors(path, { W: tensor([1, 2]) }, {}, { overwrite: true });
 * (await readSafetensors(path)).tensors.W?.shape; // => [2]
 * ```
 */
export async function readSafetensors(path: string): Promise<Decoded> {
  try {
    return decodeSafetensors(await readBytes(path));
  } catch (error) {
    throw new Error(`readSafetensors: ${readProblem(path, error)}`, { cause: error });
  }
}
