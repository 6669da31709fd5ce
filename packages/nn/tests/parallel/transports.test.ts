import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runWorkers } from "../../src/node.ts";
import { sharedBuffer } from "../../src/parallel.ts";
import type { Connection } from "./tasks.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const tasks = new URL("./tasks.ts", import.meta.url);

async function conform(workers: number, connections: readonly Connection[]): Promise<void> {
  const input = { task: "conformance" as const, connections, seed };
  const faults = await runWorkers(tasks, { workers, input });
  const none = connections.map(() => []);
  expect(faults).toEqual(Array.from({ length: workers }, () => none));
}

test.each([1, 2, 3, 4])("%d workers conform over shared memory", (workers) =>
  conform(
    workers,
    [8, 24, 64, 1024, 2 ** 20].map((messageBytes) => ({
      buffer: sharedBuffer(workers, { messageBytes }),
    })),
  ),
);

test.each([1, 2, 3])("%d workers conform over files", async (workers) => {
  const folders = [8, 2 ** 16].map((messageBytes) => ({
    folder: mkdtempSync(join(tmpdir(), "chronograd-")),
    messageBytes,
  }));
  try {
    await conform(workers, folders);
  } finally {
    for (const { folder } of folders) rmSync(folder, { recursive: true });
  }
});
