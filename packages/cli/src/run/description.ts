import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { UsageError } from "../command/errors.ts";

/** The first file of a run folder, `run.json`. */
export interface RunDescription {
  readonly format: number;
  /** What made the run, such as "train" or "speech". */
  readonly kind: string;
  /** ISO 8601. */
  readonly began: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The version of run folders that this package writes and reads. */
export const format = 3;

/**
 * What a run folder says of itself. Throws a `UsageError` where `path` is no run folder, or one of
 * another version or kind.
 */
export function readRun(path: string, kind?: string): RunDescription {
  const file = join(path, "run.json");
  if (!existsSync(file)) {
    const legacy = existsSync(join(path, "model.safetensors"));
    throw new UsageError(
      legacy
        ? `${path} is a run folder of an older version, without run.json; train again`
        : `${path} is not the folder of a run: there is no run.json; \`chronograd runs\` lists the runs`,
    );
  }
  let run: RunDescription;
  try {
    run = JSON.parse(readFileSync(file, "utf8")) as RunDescription;
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (run?.format !== format) {
    throw new UsageError(
      `${path} is a run folder of format ${run?.format}, expected ${format}; train again, or use the version that made it`,
    );
  }
  if (kind !== undefined && run.kind !== kind) {
    throw new UsageError(`${path} is a run of ${run.kind}, expected one of ${kind}`);
  }
  return run;
}

/** Paths of the run folders in a folder: those that have a `run.json`, whole or not. */
export function runPaths(parent: string): string[] {
  if (!existsSync(parent)) return [];
  if (!statSync(parent).isDirectory()) {
    throw new UsageError(`${parent} is no folder; expected one with run folders in it`);
  }
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((path) => existsSync(join(path, "run.json")));
}

/** The run folders in a folder, the oldest first; those that cannot be read are passed over. */
export function listRuns(parent: string): { name: string; path: string; run: RunDescription }[] {
  return runPaths(parent)
    .flatMap((path) => {
      try {
        return [{ name: basename(path), path, run: readRun(path) }];
      } catch {
        return [];
      }
    })
    .sort((a, b) => a.run.began.localeCompare(b.run.began));
}
