import { binary, scaled, unary } from "../kernels/elementwise.ts";
import { isPointer } from "../kernels/signature.ts";
import { updateSignatures } from "../kernels/update.ts";
import { argsOf, type Call, elementBytes, isCallOf, touches } from "./call.ts";
import type { Buffer, Program } from "./program.ts";

/** A program whose last calls run in spans of their elements. */
export interface Spanned extends Program {
  /** How many runs the spans are in, and one comes after them; 1 where nothing is cut. */
  readonly spans: number;
}

/** A call that computes each element from the same element of its inputs. */
interface Elementwise {
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
  readonly calls: Elementwise[];
  /** Where elements begin, by buffer. */
  readonly offsets: Map<number, number>;
}

/** Spans begin at whole lines of the cache. */
const grain = 16;
/** Fewer elements are not worth threads. */
const leastElements = 2 ** 16;
/** A buffer of at most so many bytes holds a few numbers. */
const tiny = 64;

/**
 * Cuts the element-wise calls at the end of a program, those of updates, into spans of their
 * elements: runs that may go on at the same time. Each element gets the same operations, so it has
 * the same bits.
 *
 * @param phase the number of the last run so far: spans run after it
 * @param guarded buffers that are read after the first run, and so have to be written in it
 * @param threads how many spans there may be
 */
export function inSpans(
  program: Program,
  phase: number,
  guarded: ReadonlySet<number>,
  threads: () => number,
): Spanned {
  const { calls, buffers } = program;
  const isTiny = (call: Call) => touched(call).every((buffer) => buffers[buffer]!.bytes <= tiny);
  const elementwise = calls.map((call) => (isTiny(call) ? undefined : elementwiseOf(call)));
  let start = calls.length;
  while (start > 0 && (elementwise[start - 1] !== undefined || isTiny(calls[start - 1]!))) start--;
  const { before, groups, after } = sorted(calls, elementwise, start);
  const elements = groups.reduce((sum, { n }) => sum + n, 0);
  const late = [...groups.flatMap((group) => group.calls.map(({ call }) => call)), ...after];
  const isRead = late.some((call) => touches(call).writes.some((buffer) => guarded.has(buffer)));
  const spans = elements < leastElements || isRead ? 1 : threads();
  if (spans === 1) return { ...program, spans };
  const next: Buffer[] = [...buffers];
  const outside = new Set([...before, ...after].flatMap(touched));
  const cut = Array.from({ length: spans }, (_, span) =>
    rangesOf(groups, span / spans, (span + 1) / spans).flatMap(({ group, from, n }) => {
      // Of each span, so that threads do not share them.
      const own = new Map<number, number>();
      const localOf = (buffer: number) => {
        if (buffers[buffer]!.slot >= 0 || outside.has(buffer)) return undefined;
        if (!own.has(buffer)) own.set(buffer, next.push({ bytes: n * group.size, slot: -1 }) - 1);
        return own.get(buffer)!;
      };
      return group.calls.map((each) => inRange(each, group, from, n, phase + 1 + span, localOf));
    }),
  );
  const last = after.map((call) => ({ ...call, phase: phase + 1 + spans }));
  return { ...program, buffers: next, calls: [...before, ...cut.flat(), ...last], spans };
}

/**
 * Calls from `start` on: those that are element-wise, in groups, and those that have to run
 * before and after them.
 */
function sorted(
  calls: readonly Call[],
  elementwise: readonly (Elementwise | undefined)[],
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
    const each = elementwise[at];
    const scalars = each === undefined ? [] : scalarsOf(each);
    const isFree =
      each !== undefined &&
      !behind.meets(call) &&
      !scalars.some((buffer) => inside.writes.has(buffer)) &&
      !touches(call).writes.some((buffer) => shared.has(buffer));
    if (isFree && joined(groups, each)) {
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
function joined(groups: Group[], each: Elementwise): boolean {
  const { call, n, along } = each;
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
  groups.push({ n, size, calls: [...met.flatMap(({ calls }) => calls), each], offsets });
  return true;
}

/** A range of a group's elements. */
interface Range {
  readonly group: Group;
  readonly from: number;
  readonly n: number;
}

/** The ranges of a span of all elements, from one share to another of them. */
function rangesOf(groups: readonly Group[], start: number, end: number): Range[] {
  const all = groups.reduce((sum, { n }) => sum + n, 0);
  const found: Range[] = [];
  let before = 0;
  for (const group of groups) {
    const { n } = group;
    const at = (share: number) => {
      const element = Math.max(0, share * all - before);
      return element >= n ? n : Math.min(n, Math.round(element / grain) * grain);
    };
    const from = at(start);
    if (from < at(end)) found.push({ group, from, n: at(end) - from });
    before += n;
  }
  return found;
}

/**
 * A call for some of its elements.
 *
 * @param localOf a buffer for these, in place of what only spans use
 */
function inRange(
  { call, length, along }: Elementwise,
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

/** A call as an element-wise one, if it is. */
function elementwiseOf(call: Call): Elementwise | undefined {
  const { signature, family, name } = call;
  if (family !== "float32" && family !== "float64") return undefined;
  const { names } = signature;
  const of = (length: string, along: readonly string[]): Elementwise => ({
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
function scalarsOf({ call, along }: Elementwise): number[] {
  return call.signature.reads
    .filter((i) => !along.includes(i) && call.buffers[i]! >= 0)
    .map((i) => call.buffers[i]!);
}

function touched(call: Call): number[] {
  const { reads, writes } = touches(call);
  return [...reads, ...writes];
}
