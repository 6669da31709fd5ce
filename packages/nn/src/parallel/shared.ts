import type { DType, TypedArray } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { addUp } from "./addUp.ts";
import { type Communicator, checkRoot } from "./communicator.ts";
import { type Departure, Meeting, meetingBytes } from "./meeting.ts";
import { aligned, type Vector, Vectors } from "./vectors.ts";

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/** Two words before all others: how many workers, and bytes of a slot. */
const headerBytes = 128;
const defaultSlotBytes = 2 ** 20;
/** Letters of what a worker came with that others get to see when they came with something else. */
const longestText = 2 ** 15;

/** How a buffer that workers share is made. */
export interface SharedBufferOptions {
  /** Bytes that each worker can lay out at once, a multiple of 8; larger trees go in parts. 1 MiB unless given. */
  readonly slotBytes?: number;
}

/**
 * The memory through which `size` workers reduce: two slots for each, whatever the size of the trees.
 *
 * @throws unless `size` is a whole number of at least 1 and `slotBytes` a multiple of 8
 *
 * @example
 * ```ts
 * import { SharedCommunicator, sharedBuffer } from "@chronograd/nn/parallel";
 *
 * // Posted to each worker, which makes its own end of it.
 * const buffer = sharedBuffer(1);
 * new SharedCommunicator(buffer, 0).allReduce({ loss: 2 }).loss; // => 2
 * ```
 */
export function sharedBuffer(size: number, options: SharedBufferOptions = {}): SharedArrayBuffer {
  checkOptions("sharedBuffer", options, ["slotBytes"]);
  const { slotBytes = defaultSlotBytes } = options;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(
      `sharedBuffer: size must be a whole number of workers of at least 1, got ${String(size)}`,
    );
  }
  if (!Number.isSafeInteger(slotBytes) || slotBytes < 8 || slotBytes % 8 !== 0) {
    throw new RangeError(
      `sharedBuffer: slotBytes must be a multiple of 8 of at least 8, got ${String(slotBytes)}`,
    );
  }
  const buffer = new SharedArrayBuffer(headerBytes + meetingBytes(size) + 2 * size * slotBytes);
  new Int32Array(buffer).set([size, slotBytes]);
  return buffer;
}

/**
 * A communicator over memory that workers share, each in a thread of its own: Node's `worker_threads` (`runWorkers` of
 * `@chronograd/nn/node` makes one), or a browser's Web Workers on a page that is cross-origin isolated. It waits with
 * `Atomics`, which a browser's main thread cannot.
 *
 * @throws unless `rank` is that of a worker and `buffer` comes from `sharedBuffer`
 */
export class SharedCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #meeting: Meeting;
  readonly #buffer: SharedArrayBuffer;
  readonly #slotBytes: number;
  /** Which of a worker's two slots is next. */
  #turn = 0;

  constructor(buffer: SharedArrayBuffer, rank: number) {
    const [size = 0, slotBytes = 0] = new Int32Array(buffer, 0, 2);
    if (!Number.isInteger(rank) || rank < 0 || rank >= size) {
      throw new RangeError(
        `SharedCommunicator: rank must be a whole number from 0 to ${size - 1}, got ${String(rank)}`,
      );
    }
    this.rank = rank;
    this.size = size;
    this.#buffer = buffer;
    this.#slotBytes = slotBytes;
    const words = new Int32Array(buffer, headerBytes, meetingBytes(size) / 4);
    this.#meeting = new Meeting(words, rank, size);
  }

  allReduce<T>(tree: T): T {
    const vectors = new Vectors(tree, "allReduce");
    this.#agree("allReduce", vectors.lines);
    const { result, vectors: pairs } = vectors.receive();
    for (const { own, received } of pairs) {
      this.#inParts(own, (part, from, length) => this.#reduce(part, own, received, from, length));
    }
    return result() as T;
  }

  broadcast<T>(tree: T, root = 0): T {
    checkRoot(root, this.size);
    const vectors = new Vectors(tree, "broadcast");
    this.#agree("broadcast", [`root ${root}`, ...vectors.lines]);
    const { result, vectors: pairs } = vectors.receive();
    for (const { own, received } of pairs) {
      this.#inParts(own, (slot, from, length) => {
        if (this.rank === root) own.read(slot(root, 0, length), from);
        this.#meeting.meet("broadcast");
        received.write(slot(root, 0, length), from);
      });
    }
    return result() as T;
  }

  barrier(): void {
    this.#agree("barrier", []);
  }

  /** Says that a worker, this one unless named, takes part no more; those who wait for it throw. */
  leave(reason: Departure, rank: number = this.rank): void {
    this.#meeting.leave(rank, reason);
  }

  /** Each worker adds up its part of the elements and lays the sums where its own addends were. */
  #reduce(slot: Slot, own: Vector, received: Vector, from: number, length: number): void {
    own.read(slot(this.rank, 0, length), from);
    this.#meeting.meet("allReduce");
    const before = (rank: number) =>
      Math.min(length, aligned((rank * length) / this.size, own.dtype));
    const [start, end] = [before(this.rank), before(this.rank + 1)];
    const addends = Array.from({ length: this.size }, (_, rank) => slot(rank, start, end));
    addUp(addends, addends[this.rank]!, own.home);
    this.#meeting.meet("allReduce");
    for (let rank = 0; rank < this.size; rank++) {
      received.write(slot(rank, before(rank), before(rank + 1)), from + before(rank));
    }
  }

  /** A worker that is ahead writes to its other slot, and cannot be ahead by two. */
  #inParts(vector: Vector, act: (slot: Slot, from: number, length: number) => void): void {
    const most = this.#slotBytes / arrays[vector.dtype].BYTES_PER_ELEMENT;
    for (let from = 0; from < vector.length; from += most) {
      const slot = this.#slots(vector.dtype);
      act(slot, from, Math.min(most, vector.length - from));
    }
  }

  #slots(dtype: DType): Slot {
    const turn = this.#turn++ & 1;
    const bytes = arrays[dtype].BYTES_PER_ELEMENT;
    const first = headerBytes + meetingBytes(this.size);
    // To typed arrays both kinds of buffer are alike, but not to their types.
    const buffer = this.#buffer as unknown as ArrayBuffer;
    return (rank, start, end) => {
      const offset = first + (2 * rank + turn) * this.#slotBytes + start * bytes;
      return new arrays[dtype](buffer, offset, end - start);
    };
  }

  /** Throws on every worker, with the first difference, unless all came for the same. */
  #agree(what: string, lines: readonly string[]): void {
    const text = [what, ...lines].join("\n");
    if (this.#meeting.agree(text, what)) return;
    const slot = this.#slots("int32");
    const most = Math.min(this.#slotBytes / 4 - 1, longestText);
    const codes = Int32Array.from(text.slice(0, most), (letter) => letter.charCodeAt(0));
    slot(this.rank, 0, 1)[0] = codes.length;
    slot(this.rank, 1, 1 + codes.length).set(codes);
    this.#meeting.meet(what);
    const texts = Array.from({ length: this.size }, (_, rank) => {
      const count = slot(rank, 0, 1)[0]!;
      return String.fromCharCode(...slot(rank, 1, 1 + count)).split("\n");
    });
    throw new TypeError(`${what}: ${difference(texts)}`);
  }
}

/** The elements `start` to `end` of a worker's slot. */
type Slot = (rank: number, start: number, end: number) => TypedArray;

/** In words, where the first worker that differs from worker 0 does. */
function difference(texts: readonly string[][]): string {
  const rule =
    "every worker must call the same collectives, in the same order, with trees of the same structure, shapes and dtypes";
  const first = texts[0]!;
  const other = texts.findIndex((lines) => lines.join("\n") !== first.join("\n"));
  if (other === -1) return `workers came with trees that differ late in their structure; ${rule}`;
  const theirs = texts[other]!;
  let line = 0;
  while (line < first.length && first[line] === theirs[line]) line++;
  const said = (lines: readonly string[]) =>
    line === 0 ? `${lines[0]}(...)` : (lines[line] ?? "nothing more");
  const verb = line === 0 ? "called" : "came with";
  return `worker 0 of ${texts.length} ${verb} ${said(first)} and worker ${other} ${verb} ${said(theirs)}; ${rule}`;
}
