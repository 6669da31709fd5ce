import { existsSync, renameSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { loadCheckpoint } from "@chronograd/nn/node";
import { counted } from "../command/counted.ts";
import { UsageError } from "../command/errors.ts";
import { readRun } from "./description.ts";
import { RunFolder } from "./folder.ts";
import { Lock } from "./lock.ts";
import { readMetrics } from "./metricsLines.ts";
import { fromCheckpoint, modelFile } from "./modelFile.ts";

/** A run as it was when its last checkpoint was saved. */
export interface OpenedRun<Checkpoint, Metrics> {
  readonly folder: RunFolder;
  readonly checkpoint: Checkpoint;
  readonly metrics: readonly Metrics[];
}

const silent = (): void => {};

async function load<Checkpoint>(path: string, kind: string, say: (line: string) => void) {
  const model = RunFolder.modelOf(kind);
  const loaded = (file: string) => loadCheckpoint<Checkpoint>(file, { model });
  return await fromCheckpoint(path, loaded, say);
}

/**
 * The checkpoint of a run folder, for those who only read it. Where it is damaged, it is the one
 * before it.
 *
 * @param say is told what was wrong
 */
export async function readCheckpoint<Checkpoint>(
  path: string,
  kind: string,
  say: (line: string) => void = silent,
): Promise<Checkpoint> {
  readRun(path, kind);
  return (await load<Checkpoint>(path, kind, say)).loaded;
}

/**
 * Opens a run folder to go on with it, which no other process can do before it is closed. With the
 * first write, lines of metrics that came after the checkpoint are dropped: they will come again.
 * A damaged checkpoint becomes `model.safetensors.damaged`, and the one before it is gone on from.
 *
 * Throws a `UsageError` where the folder is not that of such a run, and where a process works in
 * it.
 *
 * @param say is told what was wrong
 */
export async function openRun<Checkpoint, Metrics>(
  path: string,
  kind: string,
  say: (line: string) => void = silent,
): Promise<OpenedRun<Checkpoint, Metrics>> {
  const run = readRun(path, kind);
  const lock = Lock.take(path, say);
  try {
    const { loaded, file } = await load<{ readonly lines: number }>(path, kind, say);
    const { lines, ...checkpoint } = loaded;
    const log = join(path, "metrics.jsonl");
    const { metrics, bytes, isCut } = readMetrics(log, lines);
    if (metrics.length + (isCut ? 1 : 0) < lines) {
      throw new UsageError(
        `${log} has ${counted(metrics.length, "line")}, and the checkpoint is of ${lines}; restore the file`,
      );
    }
    if (isCut) say(`${log}: the last line was cut, and is left out of the curves`);
    const prepare = () => {
      if (existsSync(log)) truncateSync(log, bytes);
      const damaged = modelFile(path);
      if (file !== damaged && existsSync(damaged)) renameSync(damaged, `${damaged}.damaged`);
    };
    const folder = new RunFolder(path, run, { lock, lines: metrics.length, prepare });
    return { folder, checkpoint: checkpoint as Checkpoint, metrics: metrics as readonly Metrics[] };
  } catch (error) {
    lock.release();
    throw error;
  }
}
