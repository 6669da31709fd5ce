import { kernelMemory } from "./memory.ts";

/** What `explain()` of a plan says of compiling and of threads, and the kernels' memory. */
export function planFacts(explained: string): Record<string, number | string> {
  const rows = explained.split("; ").filter((part) => /\bthreads?\b/.test(part));
  return {
    ...kernelMemory(),
    compiled: explained.includes("kernel calls") ? "yes" : "no",
    ...(rows.length > 0 && { rows: rows.join("; ") }),
  };
}
