import { touches } from "./call.ts";
import type { Program } from "./program.ts";

/** Where the buffers lie that a program keeps to itself. */
export interface Layout {
  /** By buffer; -1 for those of the caller, and for those that nothing touches. */
  readonly offsets: readonly number[];
  /**
   * By buffer: whether it lies in the record, because a later run reads what an earlier one wrote.
   */
  readonly isKept: readonly boolean[];
  /** Bytes of the arena that all runs share. */
  readonly bytes: number;
  /** Bytes of a record. */
  readonly recordBytes: number;
}

const alignment = 64;

/**
 * Places temporaries so that those which live at the same time do not overlap: each at the lowest
 * place that is free for as long as it lives, the largest first (a form of interval colouring;
 * Sekiyama et al. 2018).
 */
export function layoutOf({ buffers, calls }: Program): Layout {
  const first = new Int32Array(buffers.length).fill(-1);
  const last = new Int32Array(buffers.length).fill(-1);
  const isKept = new Array<boolean>(buffers.length).fill(false);
  for (const [at, call] of calls.entries()) {
    const { reads, writes } = touches(call);
    for (const buffer of [...reads, ...writes]) {
      if (first[buffer] === -1) first[buffer] = at;
      last[buffer] = at;
      if (calls[first[buffer]!]!.phase !== call.phase) isKept[buffer] = true;
    }
  }
  const offsets = new Array<number>(buffers.length).fill(-1);
  const own = buffers.map((_, i) => i).filter((i) => buffers[i]!.slot < 0 && first[i]! >= 0);
  let recordBytes = 0;
  for (const i of own) {
    if (!isKept[i]) continue;
    offsets[i] = recordBytes;
    recordBytes += Math.ceil(buffers[i]!.bytes / alignment) * alignment;
  }
  const order = own
    .filter((i) => !isKept[i])
    .sort((a, b) => buffers[b]!.bytes - buffers[a]!.bytes || first[a]! - first[b]!);
  /** Placed so far, by offset. */
  const placed: { start: number; end: number; first: number; last: number }[] = [];
  let bytes = 0;
  for (const i of order) {
    const size = Math.max(alignment, Math.ceil(buffers[i]!.bytes / alignment) * alignment);
    let start = 0;
    for (const other of placed) {
      if (other.first > last[i]! || other.last < first[i]!) continue;
      if (other.start - start >= size) break;
      start = Math.max(start, other.end);
    }
    offsets[i] = start;
    const end = start + size;
    const at = placed.findIndex((other) => other.start > start);
    const lifetime = { start, end, first: first[i]!, last: last[i]! };
    placed.splice(at < 0 ? placed.length : at, 0, lifetime);
    bytes = Math.max(bytes, end);
  }
  return { offsets, isKept, bytes, recordBytes };
}
