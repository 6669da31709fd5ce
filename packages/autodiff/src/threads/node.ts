/// <reference types="node" />
import { availableParallelism, cpus } from "node:os";
import { isMainThread, Worker } from "node:worker_threads";
import type { Assignment } from "./serve.ts";

const external = "keep @chronograd/autodiff external";

/**
 * Starts a thread, which does not keep the process alive; the reason where it cannot be started.
 */
export function startThread(
  assignment: Assignment,
  ends: (reason: string) => void,
): string | undefined {
  try {
    const here: unknown = import.meta.url;
    if (typeof here !== "string") {
      return `a bundler left out where their file is; ${external}`;
    }
    const options = { workerData: assignment, name: `chronograd ${assignment.rank}` };
    // The file beside this one: TypeScript in the sources, JavaScript in what was built of them, by
    // a literal that bundlers know. Modules that a program loads by --import are for its own
    // threads; the sources need its flags.
    const thread = here.endsWith(".ts")
      ? new Worker(new URL(["./nodeThread", "ts"].join("."), here), options)
      : new Worker(new URL("./nodeThread.js", import.meta.url), { ...options, execArgv: [] });
    // Said before it is ended, so that it takes no more tasks.
    const terminate = thread.terminate.bind(thread);
    thread.terminate = () => {
      ends("one was ended from outside");
      return terminate();
    };
    thread.on("error", ({ message }: Error) => {
      const isLost = /Cannot find module/.test(message);
      ends(isLost ? `a bundler left out their file (${message}); ${external}` : message);
    });
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
    const threads = availableParallelism();
    // A rank that is bound to some cores has those for itself.
    const isBound = threads < cpus().length;
    return isBound ? threads : Math.max(1, Math.floor(threads / ranks));
  } catch {
    // Deno, without permission to ask.
    return 1;
  }
}
