/// <reference types="node" />
import { availableParallelism } from "node:os";
import { isAbsolute } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkWhole } from "../checks.ts";
import { fromCloneable, toCloneable } from "./cloneable.ts";
import { WorkerError } from "./communicator.ts";
import { SharedMemory, sharedBuffer } from "./sharedMemory.ts";
import type { Assignment, Report } from "./thread.ts";

/** How workers are started. */
export interface RunWorkersOptions<Input = unknown> {
  /** How many; as many as the machine runs at once unless given. */
  readonly workers?: number;
  /**
   * What each worker gets as its second argument: tensors, which are copied, and whatever
   * `structuredClone` takes.
   */
  readonly input?: Input;
}

/**
 * How long a worker that failed may take to say so itself, once another has noticed; milliseconds.
 */
const patience = 1000;
/** How long workers that are done may take to print and end by themselves; milliseconds. */
const leave = 200;

/**
 * Starts workers, threads that each import a module and call its default export with
 * `(communicator, input)`, and waits for all of them.
 *
 * When one throws, exits or dies, all others are stopped, also those that wait in a collective.
 * When the promise settles, no worker is left.
 *
 * @param module a URL, for example `new URL("./train.js", import.meta.url)`, or an absolute path.
 *   TypeScript works where the program itself runs from it: workers inherit Node's flags
 * @returns what each worker returned, in the order of ranks
 * @throws (rejects) with a `WorkerError` that has the worker's own error as its cause; for bad
 *   arguments
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { runWorkers } from "@chronograd/nn/node";
 *
 * const path = join(await mkdtemp(join(tmpdir(), "example-")), "sum.mjs");
 * await writeFile(path, "export default (all, input) => all.allReduce(input + all.rank);");
 * await runWorkers(path, { workers: 2, input: 10 }); // => [21, 21]
 * ```
 */
export async function runWorkers<Output = unknown, Input = unknown>(
  module: URL | string,
  options: RunWorkersOptions<Input> = {},
): Promise<Output[]> {
  checkOptions("runWorkers", options, ["workers", "input"]);
  const href = hrefOf(module);
  const { workers = availableParallelism(), input } = options;
  checkWhole(workers, "workers", "runWorkers");
  const given = { module: href, buffer: sharedBuffer(workers), input: toCloneable(input) };
  const threads: Worker[] = [];
  try {
    const values = await outcome<Output>(given, workers, threads);
    const running = threads.filter(({ threadId }) => threadId !== -1);
    const exits = running.map((thread) => new Promise((exited) => thread.once("exit", exited)));
    await Promise.race([Promise.all(exits), delay(leave, undefined, { ref: false })]);
    return values;
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function hrefOf(module: URL | string): string {
  if (module instanceof URL) return module.href;
  if (typeof module === "string") {
    if (isAbsolute(module)) return pathToFileURL(module).href;
    if (URL.canParse(module)) return module;
  }
  throw new TypeError(
    `runWorkers: module must be a URL or an absolute path, got ${JSON.stringify(module)}; pass new URL("./train.js", import.meta.url)`,
  );
}

/** Every worker's value, or the first error that says what is behind it. Fills `threads`. */
function outcome<Output>(
  given: Omit<Assignment, "rank">,
  size: number,
  threads: Worker[],
): Promise<Output[]> {
  const values = new Array<Output>(size);
  const reported = new Set<number>();
  return new Promise((resolve, reject) => {
    const fail = (error: unknown, rank: number): void => {
      reported.add(rank);
      const transport = new SharedMemory(given.buffer, 0);
      for (let each = 0; each < size; each++) transport.leave("stopped", each);
      reject(asWorkerError(error, rank, size));
    };
    const take = (report: Report, rank: number): void => {
      if (reported.has(rank)) return;
      reported.add(rank);
      if ("value" in report) {
        values[rank] = fromCloneable(report.value) as Output;
        if (reported.size === size) resolve(values);
      } else if (report.rank === rank || reported.has(report.rank)) {
        fail(report.error, report.rank);
      } else {
        // Of another worker's failure this one knows less than that worker itself, which will say
        // so, or exit.
        setTimeout(fail, patience, report.error, report.rank).unref();
      }
    };
    for (let rank = 0; rank < size; rank++) {
      const thread = started({ ...given, rank });
      threads.push(thread);
      thread.once("message", (report: Report) => take(report, rank));
      thread.on("messageerror", (error) => fail(error, rank));
      thread.on("error", (error) => fail(error, rank));
      thread.on("exit", (code) => {
        if (reported.has(rank)) return;
        const how = `it ended with exit code ${code} before it returned`;
        fail(
          new Error(
            `runWorkers: ${how}; return from the default export instead of calling process.exit, and await what it started`,
          ),
          rank,
        );
      });
    }
  });
}

function started(workerData: Assignment): Worker {
  // The file beside this one: TypeScript in the sources, JavaScript in what was built of them.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  try {
    return new Worker(new URL(`./thread${extension}`, import.meta.url), {
      workerData,
      name: `worker ${workerData.rank}`,
    });
  } catch (cause) {
    if ((cause as Error).name !== "DataCloneError") throw cause;
    throw new TypeError(
      `runWorkers: input must be tensors and what structuredClone takes, in plain objects and arrays; ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Errors come here as copies that have lost their class. */
function asWorkerError(error: unknown, rank: number, size: number): WorkerError {
  const { name, message, cause } = error instanceof Error ? error : new Error(String(error));
  const own = name === "WorkerError" ? (cause ?? error) : error;
  const prefix = `worker ${rank} of ${size}: `;
  const text = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return new WorkerError(rank, size, text, { cause: own });
}
