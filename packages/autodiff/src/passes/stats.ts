import type { Mark, Recording } from "../tape/recording.ts";
import type { Block } from "../tensor/block.ts";

/** A segment of a tape between two marks: a time step, say. */
export interface SegmentStats {
  readonly entries: number;
  /** Bytes that no earlier segment keeps alive. */
  readonly bytes: number;
}

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
  /** What lies before the first mark given, between each and the next, and after the last. */
  readonly segments: readonly SegmentStats[];
}

/** Counts what a tape holds, cut at marks; see `TapeStats`. */
export function stats(recording: Recording, marks: readonly Mark[] = []): TapeStats {
  for (const mark of marks) recording.checkMark(mark, "stats");
  const cuts = marks.map(({ position }) => position).sort((a, b) => a - b);
  const segments = [...cuts, 0].map(() => ({ entries: 0, bytes: 0 }));
  const blocks = new Set<Block>();
  const counts = new Map<string, number>();
  let position = recording.base;
  let segment = 0;
  let bytes = 0;
  for (const { declaration, inputs, output } of recording.entries) {
    // Past the last cut the comparison is with `undefined`, and false.
    while (position >= cuts[segment]!) segment++;
    const here = segments[segment]!;
    here.entries++;
    for (const { block } of [...inputs, output]) {
      if (blocks.has(block)) continue;
      blocks.add(block);
      bytes += block.bytes;
      here.bytes += block.bytes;
    }
    counts.set(declaration.name, (counts.get(declaration.name) ?? 0) + 1);
    position++;
  }
  const ops = Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]));
  const entries = recording.entries.length;
  return { entries, recorded: recording.position, bytes, ops, segments };
}
