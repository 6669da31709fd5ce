import type { Kernels } from "../kernels/contract.ts";
import { commonGrid, lanewise } from "./lanewise.ts";
import { type Call, elementBytes, type Program, touches } from "./program.ts";

/** Columns of some rows: what a strided copy writes. */
interface Region {
  readonly rows: number;
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A buffer that is filled with zeros, then written and added to part by part, as the cotangent of something that was split
 * into gates: the first addition to each part writes `0 + x`, which is a loop (`addToZero`), and zeros that nobody reads
 * are not written.
 */
export function withoutZeros(program: Program, kernels: Kernels): Program {
  const { calls, buffers } = program;
  /** Buffers that hold zeros but for some regions; the call that filled them. */
  const zeros = new Map<number, { fill: number; regions: Region[] }>();
  const next: (Call | undefined)[] = [...calls];
  for (const [at, call] of calls.entries()) {
    const part = partOf(call, kernels.lanes !== undefined);
    const known = part === undefined ? undefined : zeros.get(part.buffer);
    if (part !== undefined && known !== undefined) {
      const isFresh = known.regions.every((other) => areApart(other, part.region));
      if (isFresh) {
        next[at] = part.asWrite;
        known.regions.push(part.region);
        const { bytes } = buffers[part.buffer]!;
        if (covers(known.regions, bytes / part.size)) {
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
    if (filled !== undefined) zeros.set(filled, { fill: at, regions: [] });
  }
  return { ...program, calls: next.filter((call) => call !== undefined) };
}

/** The buffer that a call fills with zeros from end to end. */
function filledBy(
  { kernel, args, buffers: at }: Call,
  buffers: Program["buffers"],
): number | undefined {
  const size = elementBytes(kernel);
  if (!kernel.endsWith(".fill") || args[1] !== 0 || args[2] !== 0 || at[2]! < 0) return undefined;
  return args[0]! * size === buffers[at[2]!]!.bytes ? at[2]! : undefined;
}

/** A copy to columns of some rows, or an addition that a loop can write. */
function partOf(
  call: Call,
  hasLoops: boolean,
): { buffer: number; region: Region; size: number; asWrite: Call } | undefined {
  const { kernel, args, buffers } = call;
  const isAddition = kernel.endsWith(".addTo");
  if (!isAddition && !kernel.endsWith(".copy")) return undefined;
  const [rows, cols, , , , to, row, col] = args as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const buffer = buffers[5]!;
  if (buffer < 0 || (cols > 1 && col !== 1) || (rows > 1 && row < cols)) return undefined;
  const size = elementBytes(kernel);
  const start = to / size;
  const step = rows > 1 ? row : 0;
  const from = step === 0 ? start : start % step;
  // Columns that would run over the end of a row are no part of it.
  if (step > 0 && (start >= step || from + cols > step)) return undefined;
  const asWrite = isAddition ? { ...call, kernel: kernel.replace("addTo", "addToZero") } : call;
  if (isAddition) {
    const lane = hasLoops && rows * cols > 0 ? lanewise(asWrite) : undefined;
    if (lane === undefined || commonGrid([lane]) === undefined) return undefined;
  }
  return { buffer, region: { rows, step, from, to: from + cols }, size, asWrite };
}

function areApart(a: Region, b: Region): boolean {
  const isAlike = a.step === b.step && a.rows === b.rows;
  return isAlike && (a.to <= b.from || b.to <= a.from);
}

/** Whether regions, apart from each other, fill a buffer of `n` elements. */
function covers(regions: readonly Region[], n: number): boolean {
  const [{ rows, step }] = regions as [Region];
  const columns = regions.reduce((sum, { from, to }) => sum + to - from, 0);
  return step === 0 ? columns === n : columns === step && rows * step === n;
}
