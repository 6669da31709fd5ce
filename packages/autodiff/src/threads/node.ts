/// <reference types="node" />
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread, Worker } from "node:worker_threads";
import type { Assignment } from "./serve.ts";

/** Starts a thread, which does not keep the process alive; the reason where it cannot be started. */
export function startThread(
  assignment: Assignment,
  ends: (reason: string) => void,
): string | undefined {
  try {
    const here: unknown = import.meta.url;
    if (typeof here !== "string") {
      return "a bundler left out where the file of the threads is; keep @chronograd/autodiff external";
    }
    // The file beside this one: TypeScript in the sources, JavaScript in what was built of them.
    const isSource = here.endsWith(".ts");
    const url = isSource
      ? new URL(["./nodeThread", "ts"].join("."), here)
      : new URL("./nodeThread.js", import.meta.url);
    if (url.protocol === "file:" && !existsSync(url)) {
      return "a bundler left out the file of the threads; keep @chronograd/autodiff external";
    }
    const options = { workerData: assignment, name: `chronograd ${assignment.rank}` };
    // Modules that a program loads by --import are for its own threads; sources need its flags.
    const flags = isSource ? {} : { execArgv: [] };
    const thread = new Worker(url, { ...options, ...flags });
    // Said before it is ended, so that it takes no more tasks.
    const terminate = thread.terminate.bind(thread);
    thread.terminate = () => {
      ends("one was ended from outside");
      return terminate();
    };
    thread.on("error", ({ message }: Error) => ends(message));
    thread.on("exit", (code) => ends(`one ended with exit code ${code}`));
    thread.unref();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}

/** How many threads can run at once. Those of `runWorkers` have one each. */
export function threadsAtOnce(): number {
  if (!isMainThread) return 1;
  try {
    // Ranks of MPI on one machine share its cores.
    const { OMPI_COMM_WORLD_LOCAL_SIZE, MPI_LOCALNRANKS } = process.env;
    const ranks = Number(OMPI_COMM_WORLD_LOCAL_SIZE ?? MPI_LOCALNRANKS ?? 1) || 1;
    return Math.max(1, Math.floor(availableParallelism() / ranks));
  } catch {
    // Deno, without permission to ask.
    return 1;
  }
}
