/// <reference types="node" />
// What a thread of `runWorkers` runs.
import { parentPort, workerData } from "node:worker_threads";
import { fromCloneable, toCloneable } from "./cloneable.ts";
import type { Communicator } from "./communicator.ts";
import { WorkerError } from "./communicator.ts";
import { createCommunicator } from "./createCommunicator.ts";
import { SharedMemory } from "./sharedMemory.ts";

/** What a worker is told when it starts. */
export interface Assignment {
  readonly module: string;
  readonly rank: number;
  readonly buffer: SharedArrayBuffer;
  /** Cloneable. */
  readonly input: unknown;
}

/** What a worker tells when it is done. */
export type Report =
  | { readonly value: unknown }
  | {
      readonly error: unknown;
      /** The worker that it went wrong on. */
      readonly rank: number;
    };

async function run({ module, rank, buffer, input }: Assignment): Promise<Report> {
  const transport = new SharedMemory(buffer, rank);
  try {
    const { default: main } = (await import(module)) as {
      default?: (communicator: Communicator, input: unknown) => unknown;
    };
    if (typeof main !== "function") {
      throw new TypeError(
        `runWorkers: ${module} must export a function (communicator, input) as its default, got ${main === undefined ? "no default export" : `a ${typeof main}`}`,
      );
    }
    const communicator = createCommunicator(transport);
    const value = toCloneable(await main(communicator, fromCloneable(input)));
    transport.leave("returned");
    return { value };
  } catch (error) {
    transport.leave("threw");
    return { error, rank: error instanceof WorkerError ? error.rank : rank };
  }
}

/** Sends what can be sent; in place of what cannot, an error that says so. */
function send(report: Report, rank: number): void {
  try {
    parentPort?.postMessage(report);
  } catch (cause) {
    const what = (cause as Error).message;
    const error =
      "value" in report
        ? new TypeError(
            `runWorkers: what a worker returns must be tensors and what structuredClone takes, in plain objects and arrays; ${what}`,
          )
        : new Error(String(report.error));
    parentPort?.postMessage({ error, rank: "rank" in report ? report.rank : rank });
  }
}

if (parentPort !== null) {
  const assignment = workerData as Assignment;
  // Not awaited: a worker that never settles then ends for lack of work, which is reported.
  void run(assignment).then((report) => send(report, assignment.rank));
}
