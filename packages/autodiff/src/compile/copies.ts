import { argsOf, type Call, elementBytes, isCallOf, touches } from "./call.ts";
import type { Program } from "./program.ts";

/**
 * Reads a value where it was computed instead of where it was copied to: a buffer that is nothing
 * but contiguous copies of parts of another one, as the cotangent of inputs that were taken apart
 * over time, is that other buffer. So is one of sums `0 + x` where all that reads it is sums that
 * begin with 0 as well: they do not tell 0 from -0.
 */
export function withoutCopies(program: Program): Program {
  const { calls, buffers } = program;
  const writers: number[][] = buffers.map(() => []);
  for (const [at, call] of calls.entries()) {
    for (const buffer of new Set(touches(call).writes)) writers[buffer]!.push(at);
  }
  /** Buffers that something reads whose result may depend on the sign of zero. */
  const isSigned = buffers.map(() => false);
  for (const call of calls) {
    const { reads, writes } = touches(call);
    const isSum = writes.every((buffer) =>
      beginsWithZero(writers[buffer]!.map((at) => calls[at]!)),
    );
    if (isSum) continue;
    for (const buffer of reads) if (!writes.includes(buffer)) isSigned[buffer] = true;
  }
  /** By buffer: where its bytes are as well, `shift` bytes on. */
  const origins = new Map<number, { buffer: number; shift: number }>();
  const dropped = new Set<number>();
  for (const [buffer, { slot, bytes }] of buffers.entries()) {
    const own = writers[buffer]!;
    if (slot >= 0 || own.length === 0) continue;
    const copies = own.map((at) => contiguousCopy(calls[at]!, !isSigned[buffer]!));
    const [first] = copies;
    if (first === undefined) continue;
    const shift = first.from - first.to;
    const isOne = copies.every(
      (copy) => copy?.source === first.source && copy.from - copy.to === shift,
    );
    const isSettled =
      buffers[first.source]?.slot === -1 && writers[first.source]!.every((at) => at < own[0]!);
    const isMoved = origins.has(first.source) || shift % 64 !== 0;
    if (
      !isOne ||
      !isSettled ||
      isMoved ||
      !covers(
        copies.map((copy) => copy!),
        bytes,
      )
    )
      continue;
    origins.set(buffer, { buffer: first.source, shift });
    for (const at of own) dropped.add(at);
  }
  if (origins.size === 0) return program;
  const relocated = calls.flatMap((call, at): Call[] => {
    if (dropped.has(at)) return [];
    if (!call.buffers.some((buffer) => origins.has(buffer))) return [call];
    const args = call.args.map((value, i) => value + (origins.get(call.buffers[i]!)?.shift ?? 0));
    const places = call.buffers.map((buffer) => origins.get(buffer)?.buffer ?? buffer);
    return [{ ...call, args, buffers: places }];
  });
  return { ...program, calls: relocated };
}

/**
 * Whether a buffer that these calls write holds sums that begin with 0, of which none can be -0.
 */
function beginsWithZero([first, ...others]: readonly Call[]): boolean {
  if (first === undefined) return false;
  const isZero = isCallOf(first, "fill") && Object.is(argsOf(first).value, 0);
  const isProduct = isCallOf(first, "matmul") && argsOf(first).accumulate === 0;
  return (isZero || isProduct) && others.every((call) => isCallOf(call, "matmul", "scatterAdd"));
}

/** Bytes that a call copies as they lie. */
interface Copied {
  readonly source: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

function contiguousCopy(call: Call, orZeroed: boolean): Copied | undefined {
  if (!isCallOf(call, "copy", "addToZero")) return undefined;
  if (call.name === "addToZero" && !orZeroed) return undefined;
  const { rows, cols, x, xRow, xCol, y, yRow, yCol } = argsOf(call);
  const isRow = cols === 1 || (xCol === 1 && yCol === 1);
  const isBlock = rows === 1 || (xRow === cols && yRow === cols);
  if (!isRow || !isBlock || x.buffer < 0) return undefined;
  const bytes = rows * cols * elementBytes(call);
  return { source: x.buffer, from: x.offset, to: y.offset, bytes };
}

/** Whether copies, side by side, fill a buffer. */
function covers(copies: readonly Copied[], bytes: number): boolean {
  let end = 0;
  for (const copy of [...copies].sort((a, b) => a.to - b.to)) {
    if (copy.to !== end) return false;
    end += copy.bytes;
  }
  return end === bytes;
}
