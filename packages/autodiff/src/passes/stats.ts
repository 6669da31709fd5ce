import type { Recording } from "../tape/recording.ts";
import type { Block } from "../tensor/block.ts";

/** How much a tape holds. */
export interface TapeStats {
  /** Entries recorded and not forgotten. */
  readonly entries: number;
  /** Entries recorded since the tape began. */
  readonly recorded: number;
  /** Bytes that those entries keep alive, each block counted once. */
  readonly bytes: number;
  /** Entries per op, the most frequent first. */
  readonly ops: Readonly<Record<string, number>>;
}

/** Counts what a tape holds; see `TapeStats`. */
export function stats(recording: Recording): TapeStats {
  const blocks = new Set<Block>();
  const counts = new Map<string, number>();
  for (const { declaration, inputs, output } of recording.entries) {
    for (const { block } of inputs) blocks.add(block);
    blocks.add(output.block);
    counts.set(declaration.name, (counts.get(declaration.name) ?? 0) + 1);
  }
  let bytes = 0;
  for (const block of blocks) bytes += block.bytes;
  const ops = Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]));
  return { entries: recording.entries.length, recorded: recording.position, bytes, ops };
}
