import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { sharedBuffer } from "../../src/parallel.ts";
import type { Assignment } from "./conformanceThread.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const thread = new URL("./conformanceThread.ts", import.meta.url);
/** How long until the first worker ends; milliseconds. */
const longest = 50_000;

/**
 * What each worker finds wrong with a transport: one that waits for ever is stopped, `patience`
 * milliseconds after the last one that ended.
 */
function faultsOf(size: number, file: string, connections: readonly unknown[], patience = 4000) {
  const faults = Array.from({ length: size }, () => ["it waits for ever"]);
  const href = new URL(file, import.meta.url).href;
  const threads = faults.map((_, rank) => {
    const workerData: Assignment = { file: href, connections, rank, size, seed };
    return new Worker(thread, { workerData });
  });
  return new Promise<string[][]>((resolve) => {
    let [open, timer] = [size, setTimeout(() => resolve(faults), longest)];
    const end = (rank: number, found: string[]) => {
      faults[rank] = found;
      clearTimeout(timer);
      if (--open === 0) resolve(faults);
      else timer = setTimeout(() => resolve(faults), patience);
    };
    for (const [rank, each] of threads.entries()) {
      each.once("message", (found: string[]) => end(rank, found));
      each.once("error", (error) => end(rank, [String(error)]));
    }
  }).finally(() => Promise.all(threads.map((each) => each.terminate())));
}

/** Holds a transport to the contract: that of a file, for each of some connections. */
async function conform(size: number, file: string, connections: readonly unknown[]) {
  const none = Array.from({ length: size }, () => []);
  expect(await faultsOf(size, file, connections)).toEqual(none);
}

test.each([1, 2, 3, 4])("%d workers conform over shared memory", (workers) => {
  const sizes = [8, 24, 64, 1024, 2 ** 20];
  const buffers = sizes.map((messageBytes) => sharedBuffer(workers, { messageBytes }));
  return conform(workers, "./sharedMemory.ts", buffers);
});

test.each([1, 2, 3])("%d workers conform over files", async (workers) => {
  const folders = [8, 2 ** 16].map((messageBytes) => ({
    folder: mkdtempSync(join(tmpdir(), "chronograd-")),
    messageBytes,
  }));
  try {
    await conform(workers, "./files.ts", folders);
  } finally {
    for (const { folder } of folders) rmSync(folder, { recursive: true });
  }
});

test.each([
  ["two ranks swapped in allToAll", /of 0's|of 1's/],
  ["a message cut short", /byte/],
  ["what was received changes with the next message", /byte/],
  ["waits for ever for a worker that is gone", /^it waits for ever$/],
])("it is found that %s", async (fault, sentence) => {
  const buffer = sharedBuffer(3, { messageBytes: 1024 });
  const [first = []] = await faultsOf(3, "./planted.ts", [{ fault, buffer }], 1500);
  expect(first.join("; ")).toMatch(sentence);
});
