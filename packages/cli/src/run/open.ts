import { existsSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { loadCheckpoint } from "@chronograd/nn/node";
import { UsageError } from "../command/errors.ts";
import { readRun } from "./description.ts";
import { RunFolder } from "./folder.ts";

/** A run as it was when its last checkpoint was saved. */
export interface OpenedRun<Checkpoint, Metrics> {
  readonly folder: RunFolder;
  readonly checkpoint: Checkpoint;
  readonly metrics: readonly Metrics[];
}

/** The checkpoint of a run folder, for those who only read it. */
export async function readCheckpoint<Checkpoint>(path: string, kind: string): Promise<Checkpoint> {
  readRun(path, kind);
  const model = RunFolder.modelOf(kind);
  return await loadCheckpoint<Checkpoint>(join(path, "model.safetensors"), { model }).catch(
    (error: Error) => {
      throw new UsageError(`${path}: ${error.message}`);
    },
  );
}

/**
 * Opens a run folder to go on with it. Lines of metrics that came after the checkpoint are dropped:
 * they will come again. Throws a `UsageError` where the folder is not that of such a run.
 */
export async function openRun<Checkpoint, Metrics>(
  path: string,
  kind: string,
): Promise<OpenedRun<Checkpoint, Metrics>> {
  const run = readRun(path, kind);
  const { lines, ...checkpoint } = await readCheckpoint<{ readonly lines: number }>(path, kind);
  const file = join(path, "metrics.jsonl");
  const all = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  if (all.length < lines) {
    throw new UsageError(
      `${file} has ${all.length} lines, and the checkpoint is of ${lines}; restore the file`,
    );
  }
  const kept = all.slice(0, lines);
  if (existsSync(file))
    truncateSync(file, Buffer.byteLength(kept.map((line) => `${line}\n`).join("")));
  const metrics = kept.map((line) => JSON.parse(line) as Metrics);
  return { folder: new RunFolder(path, run, lines), checkpoint: checkpoint as Checkpoint, metrics };
}
