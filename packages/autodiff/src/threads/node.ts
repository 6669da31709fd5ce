/// <reference types="node" />
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread, Worker } from "node:worker_threads";
import type { Assignment } from "./serve.ts";

/** Starts a thread, which does not keep the process alive; the reason where it cannot be started. */
export function startThread(
  assignment: Assignment,
  fails: (reason: string) => void,
): string | undefined {
  // The file beside this one: TypeScript in the sources, JavaScript in what was built of them.
  const isSource = import.meta.url.endsWith(".ts");
  const url = isSource
    ? new URL(["./nodeThread", "ts"].join("."), import.meta.url)
    : new URL("./nodeThread.js", import.meta.url);
  if (url.protocol === "file:" && !existsSync(url)) {
    return `the file of the threads, ${url.pathname}, was left out by a bundler; keep @chronograd/autodiff external`;
  }
  try {
    const thread = new Worker(url, {
      workerData: assignment,
      name: `chronograd ${assignment.rank}`,
    });
    thread.on("error", ({ message }: Error) => fails(message));
    thread.on("exit", (code) => fails(`it ended with exit code ${code}`));
    thread.unref();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}

/** How many threads can run at once. Those of `runWorkers` have one each. */
export function threadsAtOnce(): number {
  if (!isMainThread) return 1;
  // Ranks of MPI on one machine share its cores.
  const { OMPI_COMM_WORLD_LOCAL_SIZE, MPI_LOCALNRANKS } = process.env;
  const ranks = Number(OMPI_COMM_WORLD_LOCAL_SIZE ?? MPI_LOCALNRANKS ?? 1) || 1;
  return Math.max(1, Math.floor(availableParallelism() / ranks));
}
