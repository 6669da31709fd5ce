/// <reference types="node" />
import { writeSync } from "node:fs";
import { WorkerError } from "../communicator.ts";
import type { MpiLibrary } from "./library.ts";
import { departed, type MpiTransport } from "./mpiTransport.ts";
import { type Patience, sleep, waitUntil } from "./waiting.ts";

/** Milliseconds in which ranks that fail at the same time hear of each other. */
const together = 50;
/** Milliseconds in which the launcher passes on what was printed, before it ends all. */
const forwarding = 100;
/** Milliseconds that a rank which failed may take to say so, once another has noticed. */
const patience = 1000;
/** How a rank waits that has nothing more to compute. */
const idle: Patience = { spin: 0, share: 0, yieldCore: () => {} };
/** Milliseconds until a rank that another one ends, ends itself. */
const longest = 5000;

/**
 * Ends all ranks together: when this process ends well, it waits for the others, and MPI is
 * finalized; when it throws or exits with another code, a sentence says so, once, and MPI aborts.
 */
export function endTogether(library: MpiLibrary, transport: MpiTransport): void {
  const { rank, size } = transport;
  const { call, abi } = library;
  let isEnding = false;

  /** Ends all ranks; of those that fail together, only the lowest says why. */
  function fail(text: string, code: number, isOfAnother = false): never {
    isEnding = true;
    const hasFailed = () => {
      transport.look();
      return transport.failed.length > 0;
    };
    try {
      if (isOfAnother) waitFor(hasFailed, patience);
      let isFirst = !hasFailed();
      if (isFirst) {
        transport.fail();
        waitFor(() => hasFailed() && transport.failed.some((other) => other.rank < rank), together);
        isFirst = !transport.failed.some((other) => other.rank < rank);
      }
      if (isFirst) {
        print(text);
        sleep(forwarding);
      } else sleep(longest);
    } catch (error) {
      print(`${text}\n${String(error)}`);
    }
    call.Abort(abi.world, code);
    process.exit(code);
  }

  process.on("uncaughtExceptionMonitor", (error: unknown) => {
    const isCaught =
      process.listenerCount("uncaughtException") > 0 ||
      process.hasUncaughtExceptionCaptureCallback();
    if (isCaught || isEnding) return;
    const isOfAnother = error instanceof WorkerError && error.rank !== rank;
    fail(described(error, rank, size), 1, isOfAnother);
  });

  process.on("exit", (code) => {
    if (isEnding) return;
    if (code !== 0) fail(`worker ${rank} of ${size}: it ended with exit code ${code}`, code);
    isEnding = true;
    transport.leave();
    const isOver = () => {
      transport.look();
      return transport.isOver || transport.waiting.length > 0 || transport.failed.length > 0;
    };
    waitUntil(isOver, idle, 10);
    const [waits] = transport.waiting;
    if (waits) fail(`worker ${rank} of ${size}: ${departed(waits.rank, waits.where)}`, 1);
    if (transport.failed.length > 0) {
      // The one that failed ends this process, too.
      sleep(longest);
      call.Abort(abi.world, 1);
    }
    call.Finalize();
  });
}

/** Waits for something, but not longer than so many milliseconds. */
function waitFor(isSo: () => boolean, most: number): void {
  const end = performance.now() + most;
  waitUntil(() => isSo() || performance.now() > end, idle);
}

/** An error as one sentence that names the rank, and where it was thrown. */
function described(error: unknown, rank: number, size: number): string {
  const prefix = `worker ${rank} of ${size}: `;
  if (!(error instanceof Error)) return `${prefix}it threw ${String(error)}`;
  const { name, message, stack = "" } = error;
  const frames = stack.slice(stack.search(/\n\s+at /)).replace(/^[^\n]*$/, "");
  const sentence = error instanceof WorkerError ? message : `${prefix}${name}: ${message}`;
  return `${sentence}${frames}`;
}

/** Prints at once, so that nothing is lost when the process ends. */
function print(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // Nobody reads it.
  }
}
