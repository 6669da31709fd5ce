/// <reference types="node" />
import { availableParallelism } from "node:os";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { checkOptions } from "@chronograd/autodiff/internal";
import { WorkerError } from "./communicator.ts";
import type { Assignment, Report } from "./entry.ts";
import { pack, unpack } from "./handover.ts";
import { SharedCommunicator, sharedBuffer } from "./shared.ts";

/** How workers are started. */
export interface RunWorkersOptions<Input = unknown> {
  /** How many; as many as the machine runs at once unless given. */
  readonly workers?: number;
  /** What each worker gets as its second argument: tensors, which are copied, and whatever `structuredClone` takes. */
  readonly input?: Input;
}

/** How long a worker that failed may take to say so itself, once another has noticed; milliseconds. */
const patience = 1000;
/** How long workers that are done may take to print and end by themselves; milliseconds. */
const leave = 200;

/**
 * Starts workers, threads that each import a module and call its default export with `(communicator, input)`, and
 * waits for all of them.
 *
 * When one throws, exits or dies, all others are stopped, also those that wait in a collective. When the promise settles,
 * no worker is left.
 *
 * @param module a URL, for example `new URL("./train.js", import.meta.url)`, or an absolute path. TypeScript works
 *   where the program itself runs from it: workers inherit Node's flags
 * @returns what each worker returned, in the order of ranks
 * @throws (rejects) with a `WorkerError` that has the worker's own error as its cause; for bad arguments
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
  if (!Number.isSafeInteger(workers) || workers < 1) {
    throw new RangeError(
      `runWorkers: workers must be a whole number of at least 1, got ${String(workers)}`,
    );
  }
  const buffer = sharedBuffer(workers);
  const packed = pack(input);
  const group = new Group<Output>(buffer, workers);
  try {
    for (let rank = 0; rank < workers; rank++) {
      group.start({ module: href, rank, buffer, input: packed });
    }
    return await group.outcome;
  } finally {
    await group.end();
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

/** The workers of one run. */
class Group<Output> {
  /** Every worker's value, or the first error that says what is behind it. */
  readonly outcome: Promise<Output[]>;
  readonly #buffer: SharedArrayBuffer;
  readonly #size: number;
  readonly #workers: Worker[] = [];
  readonly #exits: Promise<void>[] = [];
  readonly #values: Output[];
  readonly #reported = new Set<number>();
  readonly #resolve: (values: Output[]) => void;
  readonly #reject: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #failed = false;

  constructor(buffer: SharedArrayBuffer, size: number) {
    this.#buffer = buffer;
    this.#size = size;
    this.#values = new Array<Output>(size);
    let resolve!: (values: Output[]) => void;
    let reject!: (error: Error) => void;
    this.outcome = new Promise<Output[]>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(workerData: Assignment): void {
    const { rank } = workerData;
    // The file beside this one: TypeScript in the sources, JavaScript in what was built of them.
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
    const entry = new URL(`./entry${extension}`, import.meta.url);
    const worker = started(entry, workerData);
    this.#workers.push(worker);
    this.#exits.push(new Promise((exited) => worker.once("exit", () => exited())));
    worker.once("message", (report: Report) => this.#take(report, rank));
    worker.on("messageerror", (error) => this.#fail(error, rank));
    worker.on("error", (error) => this.#fail(error, rank));
    worker.on("exit", (code) => {
      if (this.#reported.has(rank)) return;
      const how = `it ended with exit code ${code} before it returned`;
      this.#fail(
        new Error(
          `runWorkers: ${how}; return from the default export instead of calling process.exit, and await what it started`,
        ),
        rank,
      );
    });
  }

  #take(report: Report, rank: number): void {
    if (this.#reported.has(rank)) return;
    this.#reported.add(rank);
    if ("error" in report) {
      // Of another worker's failure this one knows less than that worker itself, which will say so, or exit.
      if (report.rank === rank || this.#reported.has(report.rank)) {
        this.#fail(report.error, report.rank);
      } else {
        this.#timer ??= setTimeout(() => this.#fail(report.error, report.rank), patience);
      }
      return;
    }
    this.#values[rank] = unpack(report.value) as Output;
    if (this.#reported.size === this.#size) this.#resolve(this.#values);
  }

  #fail(error: unknown, rank: number): void {
    this.#reported.add(rank);
    this.#failed = true;
    const everyone = new SharedCommunicator(this.#buffer, 0);
    for (let each = 0; each < this.#size; each++) everyone.leave("stopped", each);
    this.#reject(asWorkerError(error, rank, this.#size));
  }

  /** Waits until no worker is left. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#failed && this.#workers.length === this.#size) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((over) => {
        timer = setTimeout(over, leave);
      });
      await Promise.race([Promise.all(this.#exits), late]);
      clearTimeout(timer);
    }
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function started(entry: URL, workerData: Assignment): Worker {
  try {
    return new Worker(entry, { workerData, name: `worker ${workerData.rank}` });
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
