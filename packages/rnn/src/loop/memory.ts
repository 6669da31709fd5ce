/** What a loop may keep for its gradient. */
export type Memory =
  | "all"
  /** The states of so many steps, or chunks of steps, with the first. */
  | { readonly steps: number }
  /** Kernel memory. */
  | { readonly bytes: number };

/** What a loop keeps for its gradient. */
export interface Kept {
  /** States before chunks, the first one among them. */
  readonly states: number;
  /** The last chunks, with all that their pullbacks read. */
  readonly runs: number;
}

export function keptWithin(memory: Memory, chunks: number): Kept {
  if (memory === "all") return { states: 1, runs: chunks };
  if ("steps" in memory) return { states: memory.steps, runs: 1 };
  return { states: 1, runs: chunks };
}
