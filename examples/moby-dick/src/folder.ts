import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "@chronograd/nn/node";
import { type Decoded, decodeSafetensors, encodeSafetensors } from "@chronograd/nn/safetensors";
import type { Metrics } from "./metrics.ts";
import { type Options, UsageError } from "./options.ts";

/** The contents of `config.json`: all that a resumed run needs in addition to the tensors. */
export interface Config {
  readonly format: 1;
  readonly options: Options;
  readonly characters: readonly string[];
}

/** A folder below `runs/`: made for a new run, or opened to go on. */
export class RunFolder {
  readonly path: string;
  readonly #metrics: number;

  private constructor(path: string, earlier: string) {
    this.path = path;
    this.#metrics = openSync(join(path, "metrics.jsonl.part"), "w");
    writeSync(this.#metrics, earlier);
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
    return new RunFolder(path, "");
  }

  /** Opens the folder of an earlier run. */
  static open(path: string): {
    folder: RunFolder;
    config: Config;
    tensors: Decoded;
    earlier: Metrics[];
  } {
    const read = (file: string) => {
      try {
        return readFileSync(join(path, file));
      } catch (error) {
        throw new UsageError(
          `--resume: ${path} is not the folder of a finished run: ${(error as Error).message}`,
        );
      }
    };
    const config = parse<Config>(read("config.json").toString(), join(path, "config.json"));
    if (config.format !== 1 || !Array.isArray(config.characters) || config.options === undefined) {
      throw new UsageError(
        `--resume: ${join(path, "config.json")} is not a run's configuration of format 1`,
      );
    }
    const tensors = decodeSafetensors(read("model.safetensors"));
    const text = read("metrics.jsonl").toString();
    const earlier = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => parse<Metrics>(line, join(path, "metrics.jsonl")));
    return { folder: new RunFolder(path, text), config, tensors, earlier };
  }

  /** Appends one line; the file gets its name when the run ends. */
  log(metrics: Metrics): void {
    writeSync(this.#metrics, `${JSON.stringify(metrics)}\n`);
  }

  /** Deletes what a failed run has begun to write. */
  abandon(): void {
    closeSync(this.#metrics);
    rmSync(join(this.path, "metrics.jsonl.part"));
    if (readdirSync(this.path).length === 0) rmdirSync(this.path);
  }

  /** Writes everything to temporary files and renames them, the report last. */
  finish(
    config: Config,
    tensors: Parameters<typeof encodeSafetensors>[0],
    metadata: Record<string, string>,
    report: string,
  ): void {
    const overwrite = true;
    writeFileAtomic(join(this.path, "model.safetensors"), encodeSafetensors(tensors, metadata), {
      overwrite,
    });
    writeFileAtomic(join(this.path, "config.json"), `${JSON.stringify(config, null, 2)}\n`, {
      overwrite,
    });
    closeSync(this.#metrics);
    renameSync(join(this.path, "metrics.jsonl.part"), join(this.path, "metrics.jsonl"));
    writeFileAtomic(join(this.path, "report.html"), report, { overwrite });
  }
}

function parse<T>(text: string, where: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new UsageError(`--resume: ${where} is not valid JSON: ${(error as Error).message}`);
  }
}
