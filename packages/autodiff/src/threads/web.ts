import type { Assignment } from "./serve.ts";

/** The part of a Web Worker that is used, without a browser's types. */
interface WebWorker {
  postMessage(message: unknown): void;
  onerror: ((event: { readonly message?: string }) => void) | null;
}
declare const Worker: new (url: URL, options: { type: "module" }) => WebWorker;

/** Why a worker fails before it runs: the browser does not say more. */
const unloaded =
  "their file, webThread.js, could not be loaded: a bundler left it out, or the page's policy forbids workers";

/** Starts a thread; the reason where it cannot be started. */
export function startThread(
  assignment: Assignment,
  ends: (reason: string) => void,
): string | undefined {
  if (typeof Worker === "undefined") return "this environment has no workers";
  try {
    const thread = new Worker(new URL("./webThread.js", import.meta.url), { type: "module" });
    thread.onerror = ({ message }) => ends(message ?? unloaded);
    thread.postMessage(assignment);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}

/** How many threads can run at once; in a worker of the page's own, one. */
export function threadsAtOnce(): number {
  const { document, navigator } = globalThis as {
    document?: unknown;
    navigator?: { readonly hardwareConcurrency?: number };
  };
  return document === undefined ? 1 : (navigator?.hardwareConcurrency ?? 1);
}
