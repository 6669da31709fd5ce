import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { saveCheckpoint } from "@chronograd/nn/node";
import { RunError } from "../command/errors.ts";
import { orRefuse, writeOutput } from "../command/writeOutput.ts";
import type { RunDescription } from "./description.ts";

/**
 * A folder with what a run leaves: `run.json` (its options), `metrics.jsonl` (a line for each
 * window or epoch), `model.safetensors` (the checkpoint), `report.html` and whatever else it
 * writes.
 */
export class RunFolder {
  readonly path: string;
  readonly run: RunDescription;
  readonly #metrics: number;
  /** Lines of `metrics.jsonl`. */
  lines: number;

  constructor(path: string, run: RunDescription, lines: number) {
    this.path = path;
    this.run = run;
    this.lines = lines;
    this.#metrics = openSync(join(path, "metrics.jsonl"), "a");
  }

  /** The kind of its checkpoints. */
  static modelOf(kind: string): string {
    return `chronograd run of ${kind}`;
  }

  /** Appends a line of metrics. */
  log(metrics: object): void {
    try {
      writeSync(this.#metrics, `${JSON.stringify(metrics)}\n`);
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
    fsyncSync(this.#metrics);
    const path = join(this.path, "model.safetensors");
    const model = RunFolder.modelOf(this.run.kind);
    await orRefuse(saveCheckpoint(path, { ...tree, lines: this.lines } as never, { model }));
  }

  /** Writes a file of the run, whole or not at all. */
  async write(name: string, contents: string | Uint8Array): Promise<void> {
    await writeOutput(join(this.path, name), contents);
  }

  /** Ends the run. */
  close(): void {
    closeSync(this.#metrics);
  }
}
