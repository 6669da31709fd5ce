import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { saveCheckpoint } from "@chronograd/nn/node";
import { RunError } from "../command/errors.ts";
import { orRefuse, writeOutput } from "../command/writeOutput.ts";
import type { RunDescription } from "./description.ts";
import type { Lock } from "./lock.ts";
import { modelFile } from "./modelFile.ts";

/** What a run folder is opened with. */
interface Opening {
  readonly lock: Lock;
  /** Lines of `metrics.jsonl` that are there. */
  readonly lines: number;
  /** What is to be done before the first write. */
  readonly prepare?: () => void;
}

/**
 * A folder with what a run leaves: `run.json` (its options), `metrics.jsonl` (a line for each
 * window or epoch), `model.safetensors` (the checkpoint), `report.html` and whatever else it
 * writes.
 */
export class RunFolder {
  readonly path: string;
  readonly run: RunDescription;
  readonly #opening: Opening;
  /** The descriptor of `metrics.jsonl`, once something was written. */
  #metrics: number | undefined;
  /** Lines of `metrics.jsonl`. */
  lines: number;

  constructor(path: string, run: RunDescription, opening: Opening) {
    this.path = path;
    this.run = run;
    this.#opening = opening;
    this.lines = opening.lines;
  }

  #begun(): number {
    if (this.#metrics === undefined) {
      try {
        this.#opening.prepare?.();
        this.#metrics = openSync(join(this.path, "metrics.jsonl"), "a");
      } catch (error) {
        throw new RunError(`cannot write in ${this.path}: ${(error as Error).message}`);
      }
    }
    return this.#metrics;
  }

  /** The kind of its checkpoints. */
  static modelOf(kind: string): string {
    return `chronograd run of ${kind}`;
  }

  /** Appends a line of metrics. */
  log(metrics: object): void {
    const file = this.#begun();
    try {
      writeSync(file, `${JSON.stringify(metrics)}\n`);
    } catch (error) {
      throw new RunError(`${join(this.path, "metrics.jsonl")}: ${(error as Error).message}`);
    }
    this.lines++;
  }

  /**
   * Saves a checkpoint: a tree of tensors and plain values, once the lines of metrics before it are
   * on the disk.
   */
  async save(tree: Readonly<Record<string, unknown>>): Promise<void> {
    fsyncSync(this.#begun());
    const path = modelFile(this.path);
    const model = RunFolder.modelOf(this.run.kind);
    await orRefuse(saveCheckpoint(path, { ...tree, lines: this.lines } as never, { model }));
  }

  /** Writes a file of the run, whole or not at all. */
  async write(name: string, contents: string | Uint8Array): Promise<void> {
    await writeOutput(join(this.path, name), contents);
  }

  /** Ends the work in the folder, which another process may then go on with. */
  close(): void {
    if (this.#metrics !== undefined) closeSync(this.#metrics);
    this.#metrics = undefined;
    this.#opening.lock.release();
  }
}
