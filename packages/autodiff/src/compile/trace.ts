import { type Family, type Kernels, signatures } from "../kernels/contract.ts";
import { Memory, type Views } from "../kernels/memory.ts";
import { argReduceNames, reduce } from "../kernels/reduce.ts";
import { argumentsByName, isPointer, signatureOf } from "../kernels/signature.ts";
import { Backend } from "../tensor/backend.ts";
import { Block } from "../tensor/block.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { NotTraceable } from "../tensor/tracing.ts";
import type { Call } from "./call.ts";
import type { Buffer, RangeCheck } from "./program.ts";

/** Addresses of traced buffers: far above any real one, each in its own range. */
const range = 2 ** 34;

/** Hands out addresses that stand for buffers, and no bytes. */
class TraceMemory extends Memory {
  readonly buffers: Buffer[] = [];

  override get views(): Views {
    throw new NotTraceable(
      "a value that depends on the inputs was read or written by JavaScript (item, toArray, a live view, random numbers)",
    );
  }

  override allocate(bytes: number): number {
    this.buffers.push({ bytes, slot: -1 });
    return this.buffers.length * range;
  }

  override release(): void {}
}

/** The buffer of an address, or -1 for a constant. */
export function bufferAt(pointer: number): number {
  return pointer < range ? -1 : Math.floor(pointer / range) - 1;
}

export function offsetAt(pointer: number): number {
  return pointer < range ? pointer : pointer % range;
}

/** A backend on which ops compute nothing but note which kernels they would call. */
export class TraceBackend extends Backend {
  readonly calls: Call[] = [];
  readonly checks: RangeCheck[] = [];
  /** Scalars that have to be finite in every run. */
  readonly guards: Tensor[] = [];
  /** Constants that the program reads: held as long as it may run. */
  readonly held: Set<Block> = new Set();
  /** Slots of the table of the caller's addresses. */
  slots = 0;
  readonly #now: Now;

  constructor(parent: Backend) {
    const memory = new TraceMemory();
    const now = { phase: 0 };
    const calls: Call[] = [];
    const checks: RangeCheck[] = [];
    super(memory, noting(calls, checks, memory.buffers, now), parent);
    this.calls = calls;
    this.checks = checks;
    this.#now = now;
  }

  /** From here on calls belong to the next run. */
  nextPhase(): void {
    this.#now.phase++;
  }

  get buffers(): Buffer[] {
    return (this.memory as TraceMemory).buffers;
  }

  override adopt({ block }: Tensor): void {
    if (this.held.has(block)) return;
    block.retain();
    this.held.add(block);
  }

  override isFinite(x: Tensor): boolean {
    // A constant is known now.
    if (bufferAt(x.pointer) < 0) return super.isFinite(x);
    this.guards.push(x);
    return true;
  }

  /** Drops the hold on constants. */
  release(): void {
    for (const block of this.held) block.release("the function that was compiled with it is gone");
    this.held.clear();
  }

  /** A value that stands for an input. */
  input({ shape, dtype }: { readonly shape: Shape; readonly dtype: DType }): Tensor {
    const size = sizeOf(shape);
    const bytes = size * bytesOf[dtype];
    const block = new Block(this, this.memory.allocate(bytes), bytes);
    this.buffers[bufferAt(block.pointer)]!.slot = this.slots++;
    block.retain();
    return new Tensor(block, 0, shape, size, dtype, null, 0, null);
  }
}

/** Which run is being traced. */
interface Now {
  phase: number;
}

function noting(calls: Call[], checks: RangeCheck[], buffers: Buffer[], now: Now): Kernels {
  /** By buffer of positions along an axis: the length of that axis. */
  const lengths = new Map<number, number>();
  const note = (family: Family, name: string, text: string) => {
    const signature = signatureOf(text);
    const { kinds } = signature;
    const findsPositions = (argReduceNames as readonly string[]).includes(name);
    return (...given: number[]): void => {
      if (findsPositions) {
        const { length, y } = argumentsByName(reduce, given);
        lengths.set(bufferAt(y), length);
      }
      const args = given.map((value, i) => (isPointer(kinds[i]!) ? offsetAt(value) : value));
      const at = given.map((value, i) => (isPointer(kinds[i]!) ? bufferAt(value) : -1));
      calls.push({ family, name, signature, args, buffers: at, phase: now.phase });
    };
  };
  const family = <Of extends Family>(of: Of): Kernels[Of] => {
    const noted = Object.entries(signatures[of]).map(([name, text]) => [
      name,
      note(of, name, text),
    ]);
    return Object.fromEntries(noted) as Kernels[Of];
  };
  const reads = (): never => {
    throw new NotTraceable(
      "a number that depends on the inputs was read (a norm, a check for NaN)",
    );
  };
  const numbers = { sumSquares: reads, firstNonFinite: reads };
  return {
    name: "trace",
    float32: { ...family("float32"), ...numbers },
    float64: { ...family("float64"), ...numbers },
    int32: family("int32"),
    move32: family("move32"),
    move64: family("move64"),
    cast: family("cast"),
    firstOutOfRange(n, indices, low, high, except) {
      const buffer = bufferAt(indices);
      if (low === 0 && (lengths.get(buffer) ?? Infinity) <= high) return -1;
      const { slot } = buffers[buffer]!;
      if (slot < 0) {
        throw new NotTraceable("indices are computed from the inputs, so their range is not known");
      }
      checks.push({
        slot,
        offset: offsetAt(indices),
        phase: now.phase,
        args: [n, low, high, except],
      });
      return -1;
    },
  };
}
