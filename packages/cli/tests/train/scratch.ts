import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";
import { folder } from "../files.ts";

/** The program of this package, from its source. */
export const main: string = join(import.meta.dirname, "../../src/main.ts");

/** Flags of a small model. */
export const small: readonly string[] = "--hidden 16 --batch 4 --k1 5 --k2 10".split(" ");

/** A text with something to learn. */
export const rhyme: string =
  "row, row, row your boat, gently down the stream; merrily, merrily, life is but a dream. ".repeat(
    60,
  );

/** A folder that the tests of a file work in, with `rhyme.txt` in it. */
export function workFolder(): void {
  const before = process.cwd();
  const made = folder();
  beforeAll(() => {
    process.chdir(made);
    writeFileSync("rhyme.txt", rhyme);
  });
  afterAll(() => process.chdir(before));
}

/** The lines of metrics of a run. */
export function metricsOf(name: string): Record<string, number>[] {
  const lines = readFileSync(join("runs", name, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, number>);
}

/** Runs the program in a process of its own; never throws. */
export async function program(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      "--conditions=@chronograd/source",
      "--no-warnings",
      main,
      ...args,
    ]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}
