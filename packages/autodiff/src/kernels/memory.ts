import { classSize, FreeBlocks, largest, sizeClass } from "./freeBlocks.ts";

/** Bytes below this address belong to the kernel module's constant tables. */
const reserved = 1 << 16;
const page = 1 << 16;
/**
 * WebAssembly's 32-bit address space, in pages, but for the last: no block ends at 2^32, which
 * is 0.
 */
export const maximumPages: number = 2 ** 16 - 1;

/**
 * The views that kernels and entry points read memory through; they are made anew whenever the
 * memory grows.
 */
export interface Views {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
}

/**
 * A `WebAssembly.Memory`, in words that types without a browser's have too: Node's do not name it.
 * Where threads may share it, its buffer is a `SharedArrayBuffer`, which typed arrays take as well.
 */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Memory that threads may share, where the environment has it. */
function newMemory(): { wasm: LinearMemory; isShared: boolean } {
  const limits = { initial: 2, maximum: maximumPages };
  // A page that is not isolated has no shared memory for its workers.
  const { SharedArrayBuffer: shared, crossOriginIsolated = true } = globalThis as {
    SharedArrayBuffer?: unknown;
    crossOriginIsolated?: boolean;
  };
  if (shared !== undefined && crossOriginIsolated) {
    try {
      return { wasm: new WebAssembly.Memory({ ...limits, shared: true }), isShared: true };
    } catch {
      // An engine without threads.
    }
  }
  return { wasm: new WebAssembly.Memory(limits), isShared: false };
}

/**
 * One growable WebAssembly memory and its allocator.
 *
 * Sizes are rounded up to classes, four to each power of two, and each class keeps a free list:
 * training loops ask for the same few sizes over and over, so memory stops growing after the first
 * windows. Addresses are multiples of 16.
 */
export class Memory {
  readonly wasm: LinearMemory;
  /** Whether threads can work on it. */
  readonly isShared: boolean;
  /** Bytes handed out and not yet returned, rounded up to size classes. */
  bytesInUse = 0;
  /** The largest `bytesInUse` so far. */
  peakBytes = 0;
  /** How often the memory has grown; its buffer is another one after each time. */
  growths = 0;
  #free = new FreeBlocks();
  #top = reserved;
  /** The largest `bytesInUse` that a search has seen: `peakBytes` may be set. */
  #most = 0;
  #views: Views | undefined;

  /** @param given memory that another thread made and shares */
  constructor(given?: LinearMemory) {
    const { wasm, isShared } = given ? { wasm: given, isShared: true } : newMemory();
    this.wasm = wasm;
    this.isShared = isShared;
  }

  /** Views over the whole memory; do not keep them across an allocation. */
  get views(): Views {
    const { buffer } = this.wasm;
    if (this.#views === undefined || this.#views.uint8.buffer !== buffer) {
      this.#views = {
        float32: new Float32Array(buffer),
        float64: new Float64Array(buffer),
        int32: new Int32Array(buffer),
        uint8: new Uint8Array(buffer),
      };
    }
    return this.#views;
  }

  /**
   * Address of at least `bytes` bytes, a multiple of 16; contents are whatever was there before.
   */
  allocate(bytes: number): number {
    if (!(bytes <= largest)) this.#refuse(bytes);
    const index = sizeClass(bytes);
    const size = classSize(index);
    const pointer = this.#free.take(index) ?? this.#find(index) ?? this.#refuse(bytes);
    this.bytesInUse += size;
    if (this.bytesInUse > this.peakBytes) this.peakBytes = this.bytesInUse;
    return pointer;
  }

  /** Returns what `allocate(bytes)` gave. */
  release(pointer: number, bytes: number): void {
    const index = sizeClass(bytes);
    this.bytesInUse -= classSize(index);
    this.#free.give(pointer, index);
  }

  /**
   * The largest `bytesInUse` while `body` runs. Calls may be nested, and `peakBytes` goes on as if
   * it had not been looked at. Throws what `body` throws, and when it returns a promise.
   *
   * @example
   * ```ts
   * import { createBackend, scope, zeros } from "@chronograd/autodiff";
   *
   * const backend = createBackend();
   * const x = zeros([1024], { backend });
   * const { bytesInUse } = backend.memory;
   * const peak = backend.memory.peakDuring(() => scope(() => x.exp().neg()));
   * peak - bytesInUse; // => 8192
   * ```
   */
  peakDuring(body: () => unknown): number {
    const before = this.peakBytes;
    this.peakBytes = this.bytesInUse;
    try {
      if (body() instanceof Promise) {
        throw new TypeError(
          "peakDuring: the body returned a promise, and the measurement ends when the body returns; measure inside the asynchronous code instead",
        );
      }
      return this.peakBytes;
    } finally {
      this.peakBytes = Math.max(before, this.peakBytes);
    }
  }

  /** Bytes that `allocate(bytes)` takes, if it can: those of its size class. */
  static sizeOf(bytes: number): number {
    if (bytes <= largest) return classSize(sizeClass(bytes));
    const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
    return Math.ceil(bytes / step) * step;
  }

  /**
   * A block of a class that has none free: the least work first, and no more memory than a quarter
   * above the peak unless what is free is in pieces too small.
   */
  #find(index: number): number | undefined {
    const size = classSize(index);
    this.#most = Math.max(this.#most, this.peakBytes, this.bytesInUse + size);
    return (
      this.#append(size, 0) ??
      // To merge so few blocks takes less time than to fill the bytes that are asked for.
      (this.#free.count < size / 4096 ? this.#merge(index) : undefined) ??
      this.#append(size, 1.25 * this.#most + 2 ** 20) ??
      this.#free.cut(index) ??
      (this.#free.mayMerge ? this.#merge(index) : undefined) ??
      this.#append(size, Infinity) ??
      this.#merge(index)
    );
  }

  /** Merges free blocks and looks again, without growing. */
  #merge(index: number): number | undefined {
    this.#top = this.#free.merge(this.#top);
    return this.#append(classSize(index), 0) ?? this.#free.cut(index);
  }

  /** A block at the top, which grows the memory up to `limit` bytes. */
  #append(size: number, limit: number): number | undefined {
    const pointer = this.#top;
    const end = pointer + size;
    if (end > this.wasm.buffer.byteLength && (end > limit || !this.#grows(end))) return undefined;
    this.#top = end;
    return pointer;
  }

  /** Grows the memory to `end` bytes at least, if so much can be had. */
  #grows(end: number): boolean {
    const have = this.wasm.buffer.byteLength;
    // Some more than asked, so that growth, which detaches every view, stays rare.
    for (const more of [Math.min(end / 8, 2 ** 24), 0]) {
      try {
        this.wasm.grow(Math.ceil((end + more - have) / page));
        this.growths++;
        return true;
      } catch {}
    }
    return false;
  }

  #refuse(bytes: number): never {
    const mebibytes = (n: number) => `${(n / 2 ** 20).toFixed(0)} MiB`;
    const free = this.#top - reserved - this.bytesInUse;
    const elsewhere = free > 0 ? `, ${mebibytes(free)} are free in smaller blocks,` : "";
    throw new RangeError(
      `memory: ${mebibytes(this.bytesInUse)} are in use${elsewhere} and ${mebibytes(bytes)} more cannot be had; wrap loop bodies in scope(() => ...) so that intermediate values are returned, or forget older parts of the tape`,
    );
  }
}
