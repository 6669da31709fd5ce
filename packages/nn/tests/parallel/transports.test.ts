import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runWorkers } from "../../src/node.ts";
import { sharedBuffer } from "../../src/parallel.ts";
import type { Connection } from "./tasks.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const tasks = new URL("./tasks.ts", import.meta.url);

async function conforms(workers: number, connection: Connection): Promise<void> {
  const input = { task: "conformance" as const, connection, seed };
  const faults = await runWorkers(tasks, { workers, input });
  expect(faults).toEqual(Array.from({ length: workers }, () => []));
}

describe.each([1, 2, 3, 4])("%d workers", (workers) => {
  test.each([8, 24, 64, 1024, 2 ** 20])(
    "reduce through shared memory, %d bytes at a time",
    (messageBytes) => conforms(workers, { buffer: sharedBuffer(workers, { messageBytes }) }),
  );

  test.each([8, 2 ** 20])("reduce through files, %d bytes at a time", async (messageBytes) => {
    const folder = mkdtempSync(join(tmpdir(), "chronograd-"));
    try {
      await conforms(workers, { folder, messageBytes });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
