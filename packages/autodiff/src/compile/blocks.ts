import { binary, scaled, unary } from "../kernels/elementwise.ts";
import { isPointer } from "../kernels/signature.ts";
import { updateSignatures } from "../kernels/update.ts";
import { argsOf, type Call, elementBytes, isCallOf, touches } from "./call.ts";
import { lanewise } from "./lanewise.ts";
import type { Buffer, Program } from "./program.ts";

/** A program whose last calls run block by block. */
export interface Blocked extends Program {
  /** How many parts the blocks are in, each a run of its own, and one after them; 1 for none. */
  readonly parts: number;
}

/** A call that computes each element from the same element of its inputs. */
interface Apart {
  readonly call: Call;
  /** Elements, and which argument says how many. */
  readonly n: number;
  readonly length: number;
  /** Arguments that point to the first element of several. */
  readonly along: readonly number[];
}

/** Element-wise calls that touch the same elements of some buffers. */
interface Group {
  readonly n: number;
  readonly size: number;
  readonly calls: Apart[];
  /** Where elements begin, by buffer. */
  readonly offsets: Map<number, number>;
}

/** Elements of a block: those of all tensors of an update fit in the second cache. */
const leastBlock = 2 ** 13;
/** Blocks of one tensor: each is a call in the code. */
const mostBlocks = 64;
/** Blocks begin at whole lines of the cache. */
const grain = 16;
/** Fewer elements are not worth blocks; fewer than the other number are not worth threads. */
const [leastElements, leastShared] = [2 ** 14, 2 ** 16];
/** A buffer of at most so many bytes holds a few numbers. */
const tiny = 64;

/**
 * Runs the updates at the end of a program block by block: what one call writes, the next reads
 * from the cache, and what lies between them takes no more room than a block. Each element gets the
 * same operations, so it has the same bits. Blocks are in several parts, which may run at the same
 * time.
 *
 * Calls that can become one loop, with values between them in registers, need no blocks: they are
 * only cut into parts.
 *
 * @param phase the number of the last run so far: one part runs in it, several run after it
 * @param guarded buffers that are read after the first run, and so have to be written in it
 * @param threads how many parts there may be
 */
export function byBlocks(
  program: Program,
  phase: number,
  guarded: ReadonlySet<number>,
  threads: () => number,
): Blocked {
  const { calls, buffers } = program;
  const isTiny = (call: Call) => touched(call).every((buffer) => buffers[buffer]!.bytes <= tiny);
  const aparts = calls.map((call) => (isTiny(call) ? undefined : apartOf(call)));
  let start = calls.length;
  while (start > 0 && (aparts[start - 1] !== undefined || isTiny(calls[start - 1]!))) start--;
  const { before, groups, after } = sorted(calls, aparts, start);
  const elements = groups.reduce((sum, { n }) => sum + n, 0);
  const late = [...groups.flatMap((group) => group.calls.map(({ call }) => call)), ...after];
  // Guards are read after the first run.
  const isLate = late.some((call) => touches(call).writes.some((buffer) => guarded.has(buffer)));
  if (elements < leastElements || isLate) return { ...program, parts: 1 };
  const parts = elements < leastShared ? 1 : threads();
  if (parts === 1 && groups.every(isLoop)) return { ...program, parts };
  const next: Buffer[] = [...buffers];
  const outside = new Set([...before, ...after].flatMap(touched));
  const blocks = Array.from({ length: parts }, (_, part) => {
    return blocksOf(groups, part / parts, (part + 1) / parts).flatMap(({ group, from, n }) => {
      // Of each block, so that a loop knows that nobody else reads them.
      const own = new Map<number, number>();
      return group.calls.map((apart) =>
        inBlock(apart, group, from, n, parts > 1 ? phase + 1 + part : phase, (buffer) => {
          if (buffers[buffer]!.slot >= 0 || outside.has(buffer)) return undefined;
          if (!own.has(buffer)) own.set(buffer, next.push({ bytes: n * group.size, slot: -1 }) - 1);
          return own.get(buffer)!;
        }),
      );
    });
  });
  const last = after.map((call) => ({ ...call, phase: parts > 1 ? phase + 1 + parts : phase }));
  return { ...program, buffers: next, calls: [...before, ...blocks.flat(), ...last], parts };
}

/**
 * Calls from `start` on: those that compute elements apart, in groups, and those that have to run
 * before and after them.
 */
function sorted(
  calls: readonly Call[],
  aparts: readonly (Apart | undefined)[],
  start: number,
): { before: Call[]; groups: Group[]; after: Call[] } {
  const before = calls.slice(0, start);
  const after: Call[] = [];
  const groups: Group[] = [];
  const [inside, behind] = [new Effects(), new Effects()];
  /** Buffers from which grouped calls read one number for all elements. */
  const shared = new Set<number>();
  for (let at = start; at < calls.length; at++) {
    const call = calls[at]!;
    const apart = aparts[at];
    const scalars = apart === undefined ? [] : scalarsOf(apart);
    const isFree =
      apart !== undefined &&
      !behind.meets(call) &&
      !scalars.some((buffer) => inside.writes.has(buffer)) &&
      !touches(call).writes.some((buffer) => shared.has(buffer));
    if (isFree && joined(groups, apart)) {
      for (const buffer of scalars) shared.add(buffer);
      inside.add(call);
    } else if (inside.meets(call) || behind.meets(call)) {
      behind.add(call);
      after.push(call);
    } else before.push(call);
  }
  return { before, groups, after };
}

/** Buffers that calls read and write. */
class Effects {
  readonly reads = new Set<number>();
  readonly writes = new Set<number>();

  add(call: Call): void {
    const { reads, writes } = touches(call);
    for (const buffer of reads) this.reads.add(buffer);
    for (const buffer of writes) this.writes.add(buffer);
  }

  /** Whether a call cannot change places with these. */
  meets(call: Call): boolean {
    const { reads, writes } = touches(call);
    return (
      reads.some((buffer) => this.writes.has(buffer)) ||
      writes.some((buffer) => this.writes.has(buffer) || this.reads.has(buffer))
    );
  }
}

/**
 * Adds a call to the group of the elements that it touches; returns false where lengths or offsets
 * differ.
 */
function joined(groups: Group[], apart: Apart): boolean {
  const { call, n, along } = apart;
  const size = elementBytes(call);
  const own = along
    .filter((i) => call.buffers[i]! >= 0)
    .map((i) => [call.buffers[i]!, call.args[i]!] as const);
  const met = groups.filter(({ offsets }) => own.some(([buffer]) => offsets.has(buffer)));
  const offsets = new Map([...met.flatMap((group) => [...group.offsets]), ...own]);
  const isOne =
    met.every((group) => group.n === n && group.size === size) &&
    [...met.flatMap((group) => [...group.offsets]), ...own].every(
      ([buffer, offset]) => offsets.get(buffer) === offset,
    );
  if (!isOne) return false;
  for (const group of met) groups.splice(groups.indexOf(group), 1);
  groups.push({ n, size, calls: [...met.flatMap(({ calls }) => calls), apart], offsets });
  return true;
}

/** Whether the calls of a group can become one loop. */
function isLoop({ calls }: Group): boolean {
  return calls.every(({ call }) => lanewise(call) !== undefined);
}

/** Elements of a group's blocks. */
function blockOf(group: Group): number {
  const { n } = group;
  return isLoop(group) ? n : Math.max(leastBlock, Math.ceil(n / mostBlocks / grain) * grain);
}

/** The blocks of a part of all elements, from one share to another of them. */
function blocksOf(
  groups: readonly Group[],
  start: number,
  end: number,
): { group: Group; from: number; n: number }[] {
  const all = groups.reduce((sum, { n }) => sum + n, 0);
  const found: { group: Group; from: number; n: number }[] = [];
  let before = 0;
  for (const group of groups) {
    const { n } = group;
    const at = (share: number) => {
      const element = Math.max(0, share * all - before);
      return element >= n ? n : Math.min(n, Math.round(element / grain) * grain);
    };
    const block = blockOf(group);
    for (let from = at(start); from < at(end); from += block) {
      found.push({ group, from, n: Math.min(block, at(end) - from) });
    }
    before += n;
  }
  return found;
}

/**
 * A call for the elements of one block.
 *
 * @param localOf a buffer for one block, in place of what only blocks use
 */
function inBlock(
  { call, length, along }: Apart,
  { size }: Group,
  from: number,
  n: number,
  phase: number,
  localOf: (buffer: number) => number | undefined,
): Call {
  const [args, buffers] = [[...call.args], [...call.buffers]];
  args[length] = n;
  for (const i of along) {
    const local = buffers[i]! < 0 ? undefined : localOf(buffers[i]!);
    if (local === undefined) args[i]! += from * size;
    else [buffers[i], args[i]] = [local, 0];
  }
  return { ...call, args, buffers, phase };
}

/** A call as one that computes elements apart, if it is. */
function apartOf(call: Call): Apart | undefined {
  const { signature, family, name } = call;
  if (family !== "float32" && family !== "float64") return undefined;
  const { names } = signature;
  const of = (length: string, along: readonly string[]): Apart => ({
    call,
    n: call.args[names.indexOf(length)]!,
    length: names.indexOf(length),
    // Where a buffer is missing, a constant stands by its address, and 0 for none.
    along: along
      .map((each) => names.indexOf(each))
      .filter((i) => call.buffers[i]! >= 0 || call.args[i] !== 0),
  });
  if (signature.text === unary || signature.text === scaled || isCallOf(call, "limitNorm")) {
    return of("n", ["x", "y"]);
  }
  if (signature.text === binary) {
    const { rows, aCol, bCol } = argsOf(call as Call<"add">);
    if (rows !== 1 || aCol > 1 || bCol > 1) return undefined;
    return of("cols", [...(aCol === 1 ? ["a"] : []), ...(bCol === 1 ? ["b"] : []), "y"]);
  }
  if (!(name in updateSignatures)) return undefined;
  const own = names.filter((_, i) => isPointer(signature.kinds[i]!));
  return of(
    "n",
    own.filter((each) => each !== "t" && each !== "rate"),
  );
}

/** Buffers from which it reads one number for all elements. */
function scalarsOf({ call, along }: Apart): number[] {
  return call.signature.reads
    .filter((i) => !along.includes(i) && call.buffers[i]! >= 0)
    .map((i) => call.buffers[i]!);
}

function touched(call: Call): number[] {
  const { reads, writes } = touches(call);
  return [...reads, ...writes];
}
