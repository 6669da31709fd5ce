import { type Family, type Kernels, linkageOf } from "../kernels/contract.ts";
import { argsOf, type Call, elementBytes, isCallOf, touches } from "./call.ts";
import { commonGrid, lanewise } from "./lanewise.ts";
import type { Program } from "./program.ts";

/** Columns of some rows: what a strided copy writes. */
interface Columns {
  readonly rows: number;
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A buffer that is filled with zeros, then written and added to part by part, as the cotangent of
 * something that was split into gates: the first addition to each part writes `0 + x`, which is a
 * loop (`addToZero`), and zeros that nobody reads are not written.
 */
export function withoutZeros(program: Program, kernels: Kernels): Program {
  const { calls, buffers } = program;
  /** Buffers that hold zeros except in some columns; the call that filled them. */
  const zeros = new Map<number, { fill: number; written: Columns[] }>();
  const next: (Call | undefined)[] = [...calls];
  for (const [at, call] of calls.entries()) {
    const part = partOf(call, kernels);
    const known = part === undefined ? undefined : zeros.get(part.buffer);
    if (part !== undefined && known !== undefined) {
      const isFresh = known.written.every((other) => areDisjoint(other, part.columns));
      if (isFresh) {
        next[at] = part.asWrite;
        known.written.push(part.columns);
        const { bytes } = buffers[part.buffer]!;
        if (covers(known.written, bytes / part.size)) {
          next[known.fill] = undefined;
          zeros.delete(part.buffer);
        }
        for (const buffer of touches(call).reads) if (buffer !== part.buffer) zeros.delete(buffer);
        continue;
      }
    }
    const { reads, writes } = touches(call);
    for (const buffer of [...reads, ...writes]) zeros.delete(buffer);
    const filled = filledBy(call, buffers);
    if (filled !== undefined) zeros.set(filled, { fill: at, written: [] });
  }
  return { ...program, calls: next.filter((call) => call !== undefined) };
}

/** The buffer that a call fills with zeros from end to end. */
function filledBy(call: Call, buffers: Program["buffers"]): number | undefined {
  if (!isCallOf(call, "fill")) return undefined;
  const { n, value, y } = argsOf(call);
  if (!Object.is(value, 0) || y.offset !== 0 || y.buffer < 0) return undefined;
  return n * elementBytes(call) === buffers[y.buffer]!.bytes ? y.buffer : undefined;
}

/** A copy to columns of some rows, or an addition that a loop can write. */
function partOf(
  call: Call,
  kernels: Kernels,
): { buffer: number; columns: Columns; size: number; asWrite: Call } | undefined {
  if (!isCallOf(call, "addTo", "copy")) return undefined;
  const { rows, cols, y, yRow, yCol } = argsOf(call);
  if (y.buffer < 0 || (cols > 1 && yCol !== 1) || (rows > 1 && yRow < cols)) return undefined;
  const size = elementBytes(call);
  const start = y.offset / size;
  const step = rows > 1 ? yRow : 0;
  const from = step === 0 ? start : start % step;
  // Columns that would run over the end of a row are no part of it.
  if (step > 0 && (start >= step || from + cols > step)) return undefined;
  const isAddition = call.name === "addTo";
  const asWrite: Call = isAddition ? { ...call, name: "addToZero" } : call;
  if (isAddition) {
    const isLinked = linkageOf(kernels, call.family as Family, call.name) !== undefined;
    const lane = isLinked && rows * cols > 0 ? lanewise(asWrite) : undefined;
    if (lane === undefined || commonGrid(lane) === undefined) return undefined;
  }
  return { buffer: y.buffer, columns: { rows, step, from, to: from + cols }, size, asWrite };
}

function areDisjoint(a: Columns, b: Columns): boolean {
  const isAlike = a.step === b.step && a.rows === b.rows;
  return isAlike && (a.to <= b.from || b.to <= a.from);
}

/** Whether columns, apart from each other, fill a buffer of `n` elements. */
function covers(all: readonly Columns[], n: number): boolean {
  const [{ rows, step }] = all as [Columns];
  const width = all.reduce((sum, { from, to }) => sum + to - from, 0);
  return step === 0 ? width === n : width === step && rows * step === n;
}
