import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { main, small, workFolder } from "./scratch.ts";

workFolder();

/** Runs the program where no file may grow beyond so many KiB, as on a disk that is full. */
async function limited(kilobytes: number, ...args: readonly string[]) {
  const words = [
    process.execPath,
    "--conditions=@chronograd/source",
    "--no-warnings",
    main,
    ...args,
  ];
  const script = `trap '' XFSZ; ulimit -f ${kilobytes}; exec "$@"`;
  return await promisify(execFile)("bash", ["-c", script, "bash", ...words]).then(
    () => ({ code: 0, stderr: "" }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  );
}

const isPosix = process.platform !== "win32";

test.runIf(isPosix)(
  "a full disk is told in a sentence, and leaves nothing half-written",
  async () => {
    const args = ["train", "--text", "rhyme.txt", ...small, "--windows", "50", "--name", "full"];
    const { code, stderr } = await limited(8, ...args);
    expect(code).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/model.safetensors/);
    expect(existsSync("runs/full/model.safetensors")).toBe(false);
    expect(readdirSync("runs/full").sort()).toEqual(["metrics.jsonl", "run.json"]);
  },
);
