import { type Batching, batchings, type Column, type Merged } from "./batchings.ts";
import {
  type ByteRange,
  type Call,
  isCallOf,
  type KernelName,
  kernelOf,
  type Pointer,
  withArgs,
} from "./call.ts";
import { Graph } from "./graph.ts";
import type { Buffer, Program } from "./program.ts";

/** Copies constants side by side; returns their address. */
export type Pin = (parts: readonly ByteRange[]) => number;

/**
 * Runs calls of one kind as one: products by the same weight as one taller product, weight
 * gradients of many time steps as one product over all of them, element-wise calls as longer ones.
 * Their operands are laid side by side, so nothing is copied. Calls that depend on each other, as
 * the steps of a recurrence do, stay apart.
 */
export function batch(program: Program, pin: Pin): Program {
  const { calls, buffers } = program;
  const graph = new Graph(calls, buffers.length);
  const slabs = new Slabs(buffers);
  const merged = new Map<number, Call>();
  // The state before the first step is often the caller's, and cannot lie beside those of the
  // arena. The call that reads it, the first of a forward sweep or the last of a backward one, then
  // stays by itself.
  const some = [
    (members: readonly number[]) => members,
    (members: readonly number[]) => members.slice(1),
    (members: readonly number[]) => members.slice(0, -1),
  ];
  let waiting = candidates(calls);
  for (const choose of some) {
    waiting = waiting.filter(({ members, batching }) => {
      const chosen = choose(members);
      if (chosen.length < 2) return false;
      const run = runOf(
        chosen.map((at) => calls[at] as Call<KernelName>),
        batching,
        slabs,
      );
      if (run === undefined || !graph.canMerge(chosen, batching.isChain)) return true;
      graph.merge(chosen);
      merged.set(chosen[0]!, slabs.join(run, pin));
      return false;
    });
  }
  const next = graph.order().map((at) => merged.get(at) ?? calls[at]!);
  const moved = slabs.resolve();
  const relocated = next.map((call) => relocate(call, moved.starts));
  return { ...program, buffers: moved.buffers, calls: relocated };
}

/** Calls as one, in an order in which their operands lie side by side or can be made to. */
function runOf(
  calls: readonly Call<KernelName>[],
  batching: Batching,
  slabs: Slabs,
): Merged | undefined {
  // A backward sweep comes to the last step first, but in memory time should run forwards.
  const orders = [calls, calls.toReversed()];
  return (batching.isChain ? orders.toReversed() : orders)
    .map((order) => batching.merge(order, calls[0]!))
    .find(({ columns }) => slabs.canJoin(columns));
}

function relocate(call: Call, starts: ReadonlyMap<number, Pointer>): Call {
  if (!call.buffers.some((buffer) => starts.has(buffer))) return call;
  const buffers = [...call.buffers];
  const args = [...call.args];
  for (let i = 0; i < buffers.length; i++) {
    const start = starts.get(buffers[i]!);
    if (start === undefined) continue;
    buffers[i] = start.buffer;
    args[i] = args[i]! + start.offset;
  }
  return { ...call, buffers, args };
}

/** Calls that might run as one, products first, then by how many they are. */
function candidates(calls: readonly Call[]): { members: number[]; batching: Batching }[] {
  const groups = new Map<string, { members: number[]; batching: Batching; weight: number }>();
  for (const [at, call] of calls.entries()) {
    for (const batching of batchings) {
      if (call.name !== batching.kernel || !isCallOf(call, batching.kernel)) continue;
      const key = batching.key(call);
      if (key === undefined) continue;
      const name = `${call.phase} ${kernelOf(call)} ${key}`;
      const group = groups.get(name);
      if (group === undefined)
        groups.set(name, { members: [at], batching, weight: batching.weight });
      else group.members.push(at);
      break;
    }
  }
  return [...groups.values()]
    .filter(({ members }) => members.length > 1)
    .sort((a, b) => b.weight - a.weight || b.members.length - a.members.length);
}

/** Buffers that are to lie side by side. */
class Slabs {
  readonly #buffers: readonly Buffer[];
  /** By buffer: its slab and its index there. */
  readonly #at: ({ slab: number; index: number } | undefined)[];
  readonly #slabs: number[][] = [];

  constructor(buffers: readonly Buffer[]) {
    this.#buffers = buffers;
    this.#at = new Array(buffers.length).fill(undefined);
  }

  /** Whether each column of ranges is contiguous already, or can be made so. */
  canJoin(columns: readonly Column[]): boolean {
    const taken = new Set<number>();
    return columns.every(({ parts: column }) => {
      if (areConstant(column)) return true;
      const known = this.#runLength(column);
      if (known === column.length) return true;
      // A run that ends its slab can be carried on; otherwise a new slab begins.
      const rest = column.slice(this.#endsSlab(column, known) ? known : 0);
      for (const { buffer, offset, bytes } of rest) {
        if (buffer < 0) return false;
        const { slot, bytes: whole } = this.#buffers[buffer]!;
        const isFree = this.#at[buffer] === undefined && !taken.has(buffer);
        if (slot >= 0 || offset !== 0 || bytes !== whole || !isFree) return false;
        taken.add(buffer);
      }
      return true;
    });
  }

  /** How many ranges, from the first, lie side by side already. */
  #runLength(column: readonly ByteRange[]): number {
    let length = 1;
    while (length < column.length && this.#follows(column[length - 1]!, column[length]!)) length++;
    return length;
  }

  #follows(before: ByteRange, here: ByteRange): boolean {
    if (here.buffer < 0 || before.buffer < 0) return false;
    if (here.buffer === before.buffer) return here.offset === before.offset + before.bytes;
    const [a, b] = [this.#at[before.buffer], this.#at[here.buffer]];
    if (a === undefined || b === undefined || a.slab !== b.slab) return false;
    const isWhole = before.offset + before.bytes === this.#buffers[before.buffer]!.bytes;
    return b.index === a.index + 1 && here.offset === 0 && isWhole;
  }

  /** Whether a run of whole buffers ends where its slab does, so that more can follow. */
  #endsSlab(column: readonly ByteRange[], length: number): boolean {
    const { buffer, offset, bytes } = column[length - 1]!;
    const at = this.#at[buffer];
    if (buffer < 0 || at === undefined || at.index !== this.#slabs[at.slab]!.length - 1)
      return false;
    return offset + bytes === this.#buffers[buffer]!.bytes;
  }

  /** Lays the operands of calls that became one side by side. */
  join({ call, columns }: Merged, pin: Pin): Call {
    const pinned: Record<string, Pointer> = {};
    for (const { argument, parts } of columns) {
      if (areConstant(parts)) pinned[argument] = { buffer: -1, offset: pin(parts) };
      else this.#joinColumn(parts);
    }
    return withArgs(call, pinned);
  }

  #joinColumn(column: readonly ByteRange[]): void {
    const known = this.#runLength(column);
    if (known === column.length) return;
    const goesOn = this.#endsSlab(column, known);
    const slab = goesOn ? this.#at[column[known - 1]!.buffer]!.slab : this.#slabs.push([]) - 1;
    const members = this.#slabs[slab]!;
    for (const { buffer } of column.slice(goesOn ? known : 0)) {
      this.#at[buffer] = { slab, index: members.push(buffer) - 1 };
    }
  }

  /** Buffers with the slabs among them, and where those that moved start now. */
  resolve(): { buffers: Buffer[]; starts: ReadonlyMap<number, Pointer> } {
    const buffers = [...this.#buffers];
    const starts = new Map<number, Pointer>();
    for (const members of this.#slabs) {
      let bytes = 0;
      const slab = buffers.length;
      for (const member of members) {
        starts.set(member, { buffer: slab, offset: bytes });
        bytes += this.#buffers[member]!.bytes;
      }
      buffers.push({ bytes, slot: -1 });
    }
    return { buffers, starts };
  }
}

function areConstant(parts: readonly ByteRange[]): boolean {
  return parts.every(({ buffer }) => buffer < 0);
}
