import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { loadCheckpoint, saveCheckpoint, writeFileAtomic } from "@chronograd/nn/node";
import type { LiveWindow } from "@chronograd/rnn";
import type { Metrics } from "./metrics.ts";
import type { Params } from "./model.ts";
import { type Options, UsageError } from "./options.ts";
import type { OptimizerState } from "./train.ts";

/**
 * All that a run needs to go on. No random draw is left to come: the sample at the end has its own.
 */
export interface Run {
  readonly options: Omit<Options, "resume" | "name">;
  readonly characters: readonly string[];
  /** Tells one text from another. */
  readonly text: string;
  readonly seconds: number;
  readonly params: Params;
  readonly optimizer: OptimizerState;
  /** Where the stream of windows is; `null` before the first of them. */
  readonly live: LiveWindow | null;
}

/** What the checkpoints of this program are of. */
const model = "a run on a text, format 2";

/** Something went wrong with a file of a run, in a sentence. */
export class RunError extends Error {}

/**
 * A folder below `runs/`. Its `model.safetensors` is the checkpoint of the run, and `metrics.jsonl`
 * has a line for each window, also for those after the checkpoint.
 */
export class RunFolder {
  readonly path: string;
  readonly #metrics: number;

  private constructor(path: string) {
    this.path = path;
    this.#metrics = openSync(join(path, "metrics.jsonl"), "a");
  }

  /** A new folder, `runs/<name>`; without a name the first free number behind `stem`. */
  static create(name: string | undefined, stem: string): RunFolder {
    const at = (folder: string) => join("runs", folder);
    let path = at(name ?? `${stem}-1`);
    if (name === undefined) {
      for (let i = 2; existsSync(path); i++) path = at(`${stem}-${i}`);
    } else if (existsSync(path)) {
      throw new UsageError(
        `--name: ${path} exists already; choose another name, or go on with --resume ${path}`,
      );
    }
    mkdirSync(path, { recursive: true });
    return new RunFolder(path);
  }

  /** Opens the folder of an earlier run, as it was when its checkpoint was saved. */
  static async open(path: string): Promise<{ folder: RunFolder; run: Run; earlier: Metrics[] }> {
    const run = await loadCheckpoint<Run>(join(path, "model.safetensors"), { model }).catch(
      (error: Error) => {
        throw new UsageError(`--resume: ${path} is not the folder of a run: ${error.message}`);
      },
    );
    const windows = run.live === null ? 0 : run.live.index + 1;
    const metrics = join(path, "metrics.jsonl");
    const lines = existsSync(metrics) ? readFileSync(metrics, "utf8").split("\n").slice(0, -1) : [];
    if (lines.length < windows) {
      throw new UsageError(
        `--resume: ${metrics} has ${lines.length} lines, and the checkpoint is of ${windows} windows; restore the file`,
      );
    }
    // What comes after the checkpoint will come again.
    const kept = lines.slice(0, windows);
    truncateSync(metrics, Buffer.byteLength(kept.map((line) => `${line}\n`).join("")));
    const earlier = kept.map((line) => JSON.parse(line) as Metrics);
    return { folder: new RunFolder(path), run, earlier };
  }

  /** Appends the line of a window. */
  log(metrics: Metrics): void {
    writeSync(this.#metrics, `${JSON.stringify(metrics)}\n`);
  }

  /** Saves a checkpoint, once the lines of its windows are on the disk. */
  async save(run: Run): Promise<void> {
    fsyncSync(this.#metrics);
    await saveCheckpoint(join(this.path, "model.safetensors"), run, { model }).catch(
      (error: Error) => {
        throw new RunError(error.message);
      },
    );
  }

  /** Writes the report. */
  async finish(report: string): Promise<void> {
    closeSync(this.#metrics);
    await writeFileAtomic(join(this.path, "report.html"), report, { overwrite: true });
  }
}
