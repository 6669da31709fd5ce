import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import { WorkerError } from "../../src/index.ts";
import { runWorkers } from "../../src/node.ts";
import type { Given } from "./tasks.ts";

const tasks = new URL("./tasks.ts", import.meta.url);
const run = (workers: number, task: Given["task"]) =>
  runWorkers(tasks, { workers, input: { task } });

/** What a run rejects with: the message, and that of the cause. */
async function failure(attempt: Promise<unknown>): Promise<unknown> {
  const error = await attempt.then(
    () => "nothing was thrown",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkerError)) return String(error);
  const { rank, size, message, cause } = error;
  return { rank, size, message: message.replaceAll(tasks.href, "MODULE"), cause: String(cause) };
}

test("values come back in the order of ranks, and tensors go both ways", async () => {
  const input = { task: "echo" as const, x: [tensor([[1.5, 2]], { dtype: "float64" })], n: 3 };
  const values = await runWorkers<typeof input>(fileURLToPath(tasks), { workers: 2, input });
  const read = (x: Tensor) => [x.dtype, x.toArray()];
  const expected = { task: "echo", x: [["float64", [[1.5, 2]]]], n: 3 };
  expect(values.map((value) => tree.map(value, read))).toEqual([expected, expected]);
});

test("there are as many workers as the machine runs at once, unless said otherwise", async () => {
  const sizes = await runWorkers(tasks, { input: { task: "size" } });
  expect(sizes).toEqual(sizes.map(() => availableParallelism()));
});

test.each(["leaves a timer", "throws while others compute"] as const)(
  "no worker is left of a run in which one %s",
  async (task) => {
    const pulse = new Int32Array(new SharedArrayBuffer(4));
    const input: Given = { task, pulse };
    await runWorkers(tasks, { workers: 2, input }).catch(() => {});
    const last = Atomics.load(pulse, 0);
    expect(last).toBeGreaterThan(0);
    await setTimeout(50);
    expect(Atomics.load(pulse, 0)).toBe(last);
  },
);

test.each<[task: Given["task"], workers?: number]>([
  ["throws"],
  ["throws while others compute"],
  ["throws no error"],
  ["throws later"],
  ["rejects"],
  ["exits"],
  ["exits well"],
  ["never settles", 1],
  ["returns early"],
  ["returns a function", 1],
])("a worker that %s ends all, with a sentence", async (task, workers = 2) => {
  expect(await failure(run(workers, task))).toMatchSnapshot();
});

test("the cause has the stack of the worker's own error", async () => {
  const error = await run(2, "throws").catch((thrown: unknown) => thrown);
  expect(((error as WorkerError).cause as Error).stack).toMatch(/tasks\.ts/);
});

test("a module that cannot be run is told", async () => {
  expect(
    await failure(runWorkers("data:text/javascript,export default 7", { workers: 1 })),
  ).toMatchInlineSnapshot(`
    {
      "cause": "TypeError: runWorkers: data:text/javascript,export default 7 must export a function (communicator, input) as its default, got a number",
      "message": "worker 0 of 1: runWorkers: data:text/javascript,export default 7 must export a function (communicator, input) as its default, got a number",
      "rank": 0,
      "size": 1,
    }
  `);
  expect(
    await failure(runWorkers("data:text/javascript,export const a = 7", { workers: 1 })),
  ).toMatchInlineSnapshot(`
    {
      "cause": "TypeError: runWorkers: data:text/javascript,export const a = 7 must export a function (communicator, input) as its default, got no default export",
      "message": "worker 0 of 1: runWorkers: data:text/javascript,export const a = 7 must export a function (communicator, input) as its default, got no default export",
      "rank": 0,
      "size": 1,
    }
  `);
  expect(
    await failure(runWorkers("data:text/javascript,throw new Error('at import')", { workers: 1 })),
  ).toMatchInlineSnapshot(`
    {
      "cause": "Error: at import",
      "message": "worker 0 of 1: at import",
      "rank": 0,
      "size": 1,
    }
  `);
});

test("bad arguments are told", async () => {
  expect(await failure(runWorkers("./train.js"))).toMatchInlineSnapshot(
    `"TypeError: runWorkers: module must be a URL or an absolute path, got "./train.js"; pass new URL("./train.js", import.meta.url)"`,
  );
  expect(await failure(runWorkers(7 as never))).toMatchInlineSnapshot(
    `"TypeError: runWorkers: module must be a URL or an absolute path, got 7; pass new URL("./train.js", import.meta.url)"`,
  );
  expect(await failure(runWorkers(tasks, { workers: 0 }))).toMatchInlineSnapshot(
    `"RangeError: runWorkers: workers must be a whole number of at least 1, got 0"`,
  );
  expect(await failure(runWorkers(tasks, { input: () => 1 }))).toMatchInlineSnapshot(
    `"TypeError: runWorkers: input must be tensors and what structuredClone takes, in plain objects and arrays; () => 1 could not be cloned."`,
  );
});
