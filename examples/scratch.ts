import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** What an example printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A folder for the tests of a file, gone after them, and a function that runs the example there,
 * which never throws.
 *
 * @param tests the folder of the tests, beside `src`
 */
export function scratch(tests: string): {
  readonly folder: string;
  run(...args: string[]): Promise<Ran>;
} {
  const main = join(tests, "../src/main.ts");
  const folder = mkdtempSync(join(tmpdir(), "chronograd-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    run: (...args) =>
      new Promise((resolve) => {
        execFile(process.execPath, [main, ...args], { cwd: folder }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        });
      }),
  };
}
