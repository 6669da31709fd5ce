import {
  argReduceNames,
  type CastKernels,
  type FloatKernels,
  type Int32Kernels,
  type Kernels,
  type MoveKernels,
} from "../kernels/contract.ts";
import { Memory, type Views } from "../kernels/memory.ts";
import {
  castSignature,
  floatSignatures,
  int32Signatures,
  moveSignatures,
  type Signature,
} from "../kernels/signatures.ts";
import { Backend } from "../tensor/backend.ts";
import { Block } from "../tensor/block.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Buffer, Call, RangeCheck } from "./program.ts";

/** Addresses of traced buffers: far above any real one, each in a range of its own. */
const range = 2 ** 34;

/** Why a function cannot be compiled. */
export class NotTraceable extends Error {}

/** Why a function that threw cannot be compiled, also where a derivative rule threw; `undefined` for other errors. */
export function reasonOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof NotTraceable) return each.message;
  }
  return undefined;
}

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
  /** Constants that the program reads: held as long as it may run. */
  readonly held: Set<Block> = new Set();
  /** Entries of the table of the caller's addresses. */
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
  const note = (family: string, name: string, signature: Signature) => {
    const kernel = `${family}.${name}`;
    const findsPositions = (argReduceNames as readonly string[]).includes(name);
    return (...given: number[]): void => {
      if (findsPositions) lengths.set(bufferAt(given[4]!), given[1]!);
      const args = given.map((value, i) => (isPointer(signature[i]!) ? offsetAt(value) : value));
      const at = given.map((value, i) => (isPointer(signature[i]!) ? bufferAt(value) : -1));
      calls.push({ kernel, signature, args, buffers: at, phase: now.phase });
    };
  };
  const family = (name: string, signatures: Readonly<Record<string, Signature>>) =>
    Object.fromEntries(
      Object.entries(signatures).map(([kernel, signature]) => [
        kernel,
        note(name, kernel, signature),
      ]),
    );
  const reads = (): never => {
    throw new NotTraceable(
      "a number that depends on the inputs was read (a norm, a check for NaN)",
    );
  };
  const floats = (name: string) =>
    ({
      ...family(name, floatSignatures),
      sumSquares: reads,
      firstNonFinite: reads,
    }) as unknown as FloatKernels;
  const casts = [
    "float32ToFloat64",
    "float64ToFloat32",
    "float32ToInt32",
    "float64ToInt32",
    "int32ToFloat32",
    "int32ToFloat64",
  ].map((name) => [name, castSignature] as const);
  return {
    name: "trace",
    float32: floats("float32"),
    float64: floats("float64"),
    int32: family("int32", int32Signatures) as unknown as Int32Kernels,
    move32: family("move32", moveSignatures) as unknown as MoveKernels,
    move64: family("move64", moveSignatures) as unknown as MoveKernels,
    cast: family("cast", Object.fromEntries(casts)) as unknown as CastKernels,
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

export function isPointer(letter: string): boolean {
  return letter === "r" || letter === "w" || letter === "u";
}
