/** Bytes below this address belong to the kernel module's constant tables. */
const reserved = 1 << 16;
const page = 1 << 16;
/** The largest size class that fits the address space. */
const largest = 7 * 2 ** 29;
/** WebAssembly's 32-bit address space, in pages. */
const maximumPages = 1 << 16;

/** The five views that kernels and entry points read memory through; they are made anew whenever the memory grows. */
export interface Views {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
}

/** A `WebAssembly.Memory`, in words that types without a browser's have too: Node's do not name it. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/**
 * One growable WebAssembly memory and its allocator.
 *
 * Sizes are rounded up to classes, four to each power of two, and each class keeps a free list: training loops
 * ask for the same few sizes over and over, so memory stops growing after the first windows.
 * Addresses are multiples of 16.
 */
export class Memory {
  readonly wasm: LinearMemory;
  /** Bytes handed out and not yet returned, rounded up to size classes. */
  bytesInUse = 0;
  /** The largest `bytesInUse` so far. */
  peakBytes = 0;
  /** How often the memory has grown; its buffer is another one after each time. */
  growths = 0;
  #free: number[][] = [];
  #top = reserved;
  #views: Views | undefined;

  constructor() {
    this.wasm = new WebAssembly.Memory({ initial: 2, maximum: maximumPages });
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

  /** Address of at least `bytes` bytes, a multiple of 16; contents are whatever was there before. */
  allocate(bytes: number): number {
    if (!(bytes <= largest)) this.#refuse(bytes);
    const index = sizeClass(bytes);
    const size = classSize(index);
    this.bytesInUse += size;
    if (this.bytesInUse > this.peakBytes) this.peakBytes = this.bytesInUse;
    const recycled = this.#free[index]?.pop();
    if (recycled !== undefined) return recycled;
    const pointer = this.#top;
    this.#grow(pointer + size);
    this.#top = pointer + size;
    return pointer;
  }

  /** Returns what `allocate(bytes)` gave. */
  release(pointer: number, bytes: number): void {
    const index = sizeClass(bytes);
    this.bytesInUse -= classSize(index);
    let list = this.#free[index];
    if (list === undefined) {
      list = [];
      this.#free[index] = list;
    }
    list.push(pointer);
  }

  #grow(end: number): void {
    const have = this.wasm.buffer.byteLength;
    if (end <= have) return;
    // A quarter more than asked, so that growth, which detaches every view, stays rare.
    const wanted = Math.ceil((end + Math.min(have >> 2, 1 << 28) - have) / page);
    const least = Math.ceil((end - have) / page);
    for (const pages of [wanted, least]) {
      try {
        this.wasm.grow(pages);
        this.growths++;
        return;
      } catch {}
    }
    this.#refuse(end - have);
  }

  #refuse(bytes: number): never {
    throw new RangeError(
      `memory: ${(this.bytesInUse / 2 ** 20).toFixed(0)} MiB are in use and ${(bytes / 2 ** 20).toFixed(0)} MiB more cannot be had; wrap loop bodies in scope(() => ...) so that intermediate values are returned, or forget older parts of the tape`,
    );
  }
}

/** Class of a size: 64, 80, 96, 112, 128, 160, ... bytes. */
function sizeClass(bytes: number): number {
  if (bytes <= 64) return 0;
  const power = 31 - Math.clz32(bytes - 1);
  return ((power - 6) << 2) + ((bytes - 1) >>> (power - 2)) - 3;
}

function classSize(index: number): number {
  return (4 + (index & 3)) * 2 ** ((index >> 2) + 4);
}
