import { isPointer } from "../kernels/signature.ts";
import type { Block } from "../tensor/block.ts";
import { format } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { leaves } from "../tensor/tree.ts";
import { type Call, kernelOf } from "./call.ts";
import { OwnedBlocks } from "./ownedBlocks.ts";
import { bufferAt, offsetAt, type TraceBackend } from "./trace.ts";

/**
 * A constant: a block of the caller's, with a copy of its bytes where a live view may change them.
 */
interface Constant {
  readonly block: Block;
  readonly bytes: Uint8Array | undefined;
}

/**
 * What a traced function did: its kernel calls, what it returned, and the constants that it took
 * from outside.
 */
export class TraceSnapshot {
  readonly #calls: readonly Call[];
  readonly #result: unknown;
  /** By their addresses. */
  readonly #constants: readonly Constant[];
  readonly #ownedBlocks = new OwnedBlocks();

  constructor(trace: TraceBackend, result: unknown) {
    this.#calls = trace.calls;
    this.#result = result;
    const blocks = new Set(trace.held);
    for (const y of leaves(result)) if (bufferAt(y.pointer) < 0) blocks.add(y.block);
    for (const block of blocks) this.#ownedBlocks.add(block);
    this.#constants = [...blocks]
      .sort((a, b) => a.pointer - b.pointer)
      .map((block) => {
        const isFixed = block.version === 0;
        return { block, bytes: isFixed ? undefined : bytesOf(block).slice() };
      });
  }

  /**
   * What another run of the function did otherwise, in words; `undefined` where both did the same.
   */
  differenceTo(other: TraceSnapshot): string | undefined {
    const mine = this.#calls;
    for (const [at, call] of other.#calls.entries()) {
      const before = mine[at];
      if (before === undefined) return `it goes on with ${kernelOf(call)}`;
      const said = this.#differenceOf(before, call, other);
      if (said !== undefined) return said;
    }
    const missing = mine[other.#calls.length];
    if (missing !== undefined) return `${kernelOf(missing)} is not called any more`;
    return this.#differenceOfResults(this.#result, other.#result, other);
  }

  #differenceOf(a: Call, b: Call, again: TraceSnapshot): string | undefined {
    const [kernel, other] = [kernelOf(a), kernelOf(b)];
    if (kernel !== other) return `${kernel} was called and now ${other}`;
    for (const [i, value] of a.args.entries()) {
      const now = b.args[i]!;
      if (a.buffers[i] !== b.buffers[i]) return `${kernel} reads or writes another value`;
      if (isPointer(a.signature.kinds[i]!)) {
        if (this.#isSame(a.buffers[i]!, value, again, now)) continue;
        const isConstant = a.buffers[i]! < 0;
        return `${kernel} ${isConstant ? "reads a tensor from outside that has other values" : "reads or writes another part of a value"}`;
      }
      if (!Object.is(value, now))
        return `${kernel} took the number ${written(value)} and now ${written(now)}`;
    }
    return undefined;
  }

  /**
   * Whether two addresses mean the same value: the same place in a buffer, or constants of the same
   * bytes.
   */
  #isSame(buffer: number, address: number, other: TraceSnapshot, now: number): boolean {
    if (buffer >= 0) return address === now;
    const [a, b] = [this.#bytesFrom(address), other.#bytesFrom(now)];
    if (a === undefined || b === undefined) return address === now;
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }

  /** The bytes of a constant from an address on, as they were. */
  #bytesFrom(address: number): Uint8Array | undefined {
    const constant = this.#constants.findLast(({ block }) => block.pointer <= address);
    if (constant === undefined || address > constant.block.pointer + constant.block.bytes) return;
    const bytes = constant.bytes ?? bytesOf(constant.block);
    return bytes.subarray(address - constant.block.pointer);
  }

  #differenceOfResults(a: unknown, b: unknown, other: TraceSnapshot): string | undefined {
    if (a instanceof Tensor && b instanceof Tensor) {
      if (a.dtype !== b.dtype || format(a.shape) !== format(b.shape))
        return `a result was ${a} and is ${b}`;
      const at = bufferAt(a.pointer);
      const isSame =
        at === bufferAt(b.pointer) &&
        this.#isSame(at, offsetAt(a.pointer), other, offsetAt(b.pointer));
      return isSame ? undefined : "a result that comes from outside has other values";
    }
    if (typeof a === "object" && a !== null && typeof b === "object" && b !== null) {
      const [before, now] = [Object.entries(a), Object.entries(b)];
      if (before.length !== now.length) return "a result has another structure";
      for (const [i, [key, value]] of before.entries()) {
        const [name, given] = now[i]!;
        if (key !== name) return "a result has another structure";
        const said = this.#differenceOfResults(value, given, other);
        if (said !== undefined) return said;
      }
      return undefined;
    }
    return Object.is(a, b) ? undefined : `a result was ${written(a)} and is ${written(b)}`;
  }

  /** Drops the hold on constants. */
  end(): void {
    this.#ownedBlocks.end("the function that was recorded with it is gone");
  }
}

/** A value in words; `String(-0)` is 0. */
function written(value: unknown): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function bytesOf({ backend, pointer, bytes }: Block): Uint8Array {
  return backend.memory.views.uint8.subarray(pointer, pointer + bytes);
}
