import { WorkerError } from "../communicator.ts";
import type { Transport } from "../transport.ts";
import type { NativeMemory } from "./koffi.ts";
import type { MpiLibrary } from "./library.ts";
import { type Notice, Notices, tags } from "./notices.ts";
import { type Patience, waitUntil } from "./waiting.ts";

/** Displacements are counted in bytes by 32-bit whole numbers. */
const mostBytes = 2 ** 31 - 1;
const defaultMessageBytes = 2 ** 20;
/** Bytes of the largest `MPI_Status`, of a handle, and of a number. */
const statusBytes = 64;
const handleBytes = 8;
const wordBytes = 4;
/** Looks between two looks for notices: those of ranks that are gone are rare. */
const looksPerNotice = 16;

/** Bytes of a message unless told: 1 MiB, less where all ranks' messages would be too long. */
export function messageBytesFor(size: number, asked: number = defaultMessageBytes): number {
  const most = Math.floor(mostBytes / (size + 2) / 64) * 64;
  if (asked > most && asked !== defaultMessageBytes) {
    throw new RangeError(
      `mpi: messageBytes must be at most ${most} for ${size} ranks, because places of messages are C integers, got ${asked}; larger trees go in parts`,
    );
  }
  return Math.min(asked, most);
}

/**
 * A transport over MPI. All exchanges are non-blocking, so that a rank that waits sees whether
 * another is gone, and sleeps when the wait is long.
 *
 * One block of memory holds two messages of this rank, which take turns, and one of each other
 * rank. Everything is sent from where it was written, and read where it was received.
 */
export class MpiTransport implements Transport {
  readonly rank: number;
  readonly size: number;
  readonly messageBytes: number;
  readonly #library: MpiLibrary;
  readonly #communicator: number;
  readonly #notices: Notices;
  readonly #patience: Patience;
  readonly #memory: NativeMemory;
  /** Requests, statuses and whether all are done. */
  readonly #state: NativeMemory;
  /** Bytes that each rank sends, and where its message is, for each of the two turns. */
  readonly #lengths: NativeMemory;
  readonly #places: readonly [even: NativeMemory, odd: NativeMemory];
  readonly #messages: readonly [even: readonly Uint8Array[], odd: readonly Uint8Array[]];
  #turn: 0 | 1 = 0;
  /** Those that this rank has begun. */
  #exchanges = 0;
  /** Notices of ranks that have left. */
  readonly #left = new Map<number, Notice>();
  /** Ranks that wait for this one although it has left, and where; and those that have failed. */
  readonly waiting: Notice[] = [];
  readonly failed: Notice[] = [];

  /** Every rank must make its own, with the same numbers: the transport gets a communicator. */
  constructor(library: MpiLibrary, messageBytes: number, patience: Patience) {
    const { abi, call, memory, readHandle } = library;
    const out = memory(8);
    const read = () => new Int32Array(out.buffer, 0, 1)[0]!;
    call.Comm_dup(abi.world, out.address);
    this.#communicator = readHandle(out);
    call.Comm_set_errhandler(this.#communicator, abi.errorsReturn);
    call.Comm_rank(this.#communicator, out.address);
    this.rank = read();
    call.Comm_size(this.#communicator, out.address);
    this.size = read();
    this.messageBytes = messageBytes;
    this.#library = library;
    this.#notices = new Notices(library, this.#communicator);
    this.#patience = patience;
    const { rank, size } = this;
    this.#memory = memory((size + 2) * messageBytes);
    this.#state = memory(2 * size * (handleBytes + statusBytes) + wordBytes);
    this.#lengths = memory(wordBytes * size);
    const at = (r: number, turn: number) => (r === rank ? turn : 2 + r) * messageBytes;
    const each = <T>(f: (r: number) => T) => Array.from({ length: size }, (_, r) => f(r));
    const places = (turn: number) => {
      const list = memory(wordBytes * size);
      new Int32Array(list.buffer).set(each((r) => at(r, turn)));
      return list;
    };
    const messages = (turn: number) =>
      each((r) => new Uint8Array(this.#memory.buffer, at(r, turn), messageBytes));
    this.#places = [places(0), places(1)];
    this.#messages = [messages(0), messages(1)];
  }

  get message(): Uint8Array {
    return this.#messages[this.#turn][this.rank]!;
  }

  allGather(bytes: number, where: string): readonly Uint8Array[] {
    const { call, abi } = this.#library;
    new Int32Array(this.#lengths.buffer, 0, this.size).fill(bytes);
    call.Iallgatherv(
      ...[abi.inPlace, 0, abi.byte],
      ...[this.#memory.address, this.#lengths.address, this.#places[this.#turn].address, abi.byte],
      ...[this.#communicator, this.#state.address],
    );
    return this.#finish(1, where);
  }

  /** By pairs: of the libraries' own functions one is seven times slower for long messages. */
  allToAll(bytes: number, where: string): readonly Uint8Array[] {
    const { call, abi } = this.#library;
    const { rank, size, messageBytes } = this;
    const memory = this.#memory.address;
    const part = (r: number) => ({
      start: r * bytes,
      length: Math.max(0, Math.min(bytes, messageBytes - r * bytes)),
    });
    const own = part(rank);
    let requests = 0;
    const transfer = (what: "Isend" | "Irecv", at: number, length: number, other: number) => {
      if (length === 0) return;
      const request = this.#state.address + requests++ * abi.handleBytes;
      call[what](at, length, abi.byte, other, tags.exchange, this.#communicator, request);
    };
    for (let step = 1; step < size; step++) {
      const other = (rank + step) % size;
      transfer("Irecv", memory + (2 + other) * messageBytes + own.start, own.length, other);
    }
    for (let step = 1; step < size; step++) {
      const other = (rank + size - step) % size;
      const { start, length } = part(other);
      transfer("Isend", memory + this.#turn * messageBytes + start, length, other);
    }
    return this.#finish(requests, where);
  }

  broadcast(bytes: number, root: number, where: string): Uint8Array {
    const { call, abi } = this.#library;
    const { rank, messageBytes } = this;
    const at = (root === rank ? this.#turn : 2 + root) * messageBytes;
    const { address } = this.#state;
    call.Ibcast(this.#memory.address + at, bytes, abi.byte, root, this.#communicator, address);
    // A root has sent before the others have received; this waits for all.
    call.Ibarrier(this.#communicator, address + abi.handleBytes);
    return this.#finish(2, where)[root]!;
  }

  /** Says that this rank takes part no more. */
  leave(): void {
    this.#sendToOthers("left");
  }

  /** Says that this rank has failed. */
  fail(): void {
    this.#sendToOthers("failed");
  }

  /** Takes in the notices that have arrived. */
  look(): void {
    for (let notice = this.#notices.next(); notice; notice = this.#notices.next()) {
      if (notice.kind === "left") this.#left.set(notice.rank, notice);
      else (notice.kind === "waits" ? this.waiting : this.failed).push(notice);
    }
  }

  /** Whether all others have left, and know that this rank has. */
  get isOver(): boolean {
    return this.#left.size === this.size - 1 && this.#notices.isDelivered();
  }

  #sendToOthers(kind: Notice["kind"]): void {
    const { rank, size } = this;
    for (let r = 0; r < size; r++) {
      if (r !== rank) this.#notices.send(r, { kind, rank, exchanges: this.#exchanges, where: "" });
    }
  }

  /** Waits until `requests` are done on this rank, and returns the messages of this turn. */
  #finish(requests: number, where: string): readonly Uint8Array[] {
    const { call } = this.#library;
    const { address, buffer } = this.#state;
    const statuses = address + 2 * this.size * handleBytes;
    const flag = statuses + 2 * this.size * statusBytes;
    const isDone = new Int32Array(buffer, flag - address, 1);
    let looks = 0;
    this.#exchanges++;
    waitUntil(() => {
      call.Testall(requests, address, flag, statuses);
      if (isDone[0] !== 0) return true;
      if (++looks % looksPerNotice === 0) this.#checkLeft(where);
      return false;
    }, this.#patience);
    const messages = this.#messages[this.#turn];
    this.#turn = this.#turn === 0 ? 1 : 0;
    return messages;
  }

  /** Throws, and tells it, if a rank has left without taking part in this exchange. */
  #checkLeft(where: string): void {
    this.look();
    for (const { rank: gone, exchanges } of this.#left.values()) {
      if (exchanges >= this.#exchanges) continue;
      const { rank, size } = this;
      this.#notices.send(gone, { kind: "waits", rank, exchanges: this.#exchanges, where });
      throw new WorkerError(gone, size, departed(rank, where));
    }
  }
}

/** What became of a rank that is gone while another one waits for it. */
export function departed(waits: number, where: string): string {
  return `it has returned while worker ${waits} waits for it in ${where}; every worker must call the same collectives, in the same order`;
}
