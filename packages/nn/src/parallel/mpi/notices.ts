import type { NativeMemory } from "./koffi.ts";
import type { MpiLibrary } from "./library.ts";

/** The tags of messages between two ranks. */
export const tags = { exchange: 1, notice: 2 } as const;

const kinds = ["left", "waits", "failed"] as const;

/** What a rank tells others beside its exchanges. */
export interface Notice {
  /**
   * It leaves, and takes part in no further exchange; or it waits in one for the addressee, who has
   * left; or it has failed, and ends all.
   */
  readonly kind: (typeof kinds)[number];
  readonly rank: number;
  /** How many exchanges it has taken part in, one that it gave up included. */
  readonly exchanges: number;
  /** The collective in which it waits; empty unless it waits. */
  readonly where: string;
}

/** Small enough to be sent at once by every library, whether or not the other side is looking. */
const bytes = 256;
/** Four words, then the text. */
const textAt = 16;

/** Notices between ranks: sent without waiting, and looked for now and then. */
export class Notices {
  readonly #library: MpiLibrary;
  readonly #communicator: number;
  readonly #received: NativeMemory;
  readonly #flags: NativeMemory;
  /** Messages on their way, which must stay where they are. */
  readonly #sent: NativeMemory[] = [];

  constructor(library: MpiLibrary, communicator: number) {
    this.#library = library;
    this.#communicator = communicator;
    this.#received = library.memory(bytes);
    this.#flags = library.memory(128);
  }

  send(to: number, { kind, rank, exchanges, where }: Notice): void {
    const { call, abi, memory } = this.#library;
    // The handle of the request stands behind the message.
    const message = memory(bytes + 8);
    const text = new Uint8Array(message.buffer, textAt, bytes - textAt);
    const { written } = new TextEncoder().encodeInto(where, text);
    new Int32Array(message.buffer, 0, 4).set([kinds.indexOf(kind), rank, exchanges, written]);
    this.#sent.push(message);
    const { address } = message;
    call.Isend(address, bytes, abi.byte, to, tags.notice, this.#communicator, address + bytes);
  }

  /** The next one that has arrived, from any rank. */
  next(): Notice | undefined {
    const { call, abi } = this.#library;
    const { address, buffer } = this.#flags;
    const [communicator, status] = [this.#communicator, address + 8];
    call.Iprobe(abi.anySource, tags.notice, communicator, address, status);
    if (new Int32Array(buffer, 0, 1)[0] === 0) return undefined;
    const { address: to } = this.#received;
    call.Recv(to, bytes, abi.byte, abi.anySource, tags.notice, communicator, status);
    const [kind, rank, exchanges, written] = new Int32Array(this.#received.buffer, 0, 4);
    const text = new Uint8Array(this.#received.buffer, textAt, written);
    return {
      kind: kinds[kind!]!,
      rank: rank!,
      exchanges: exchanges!,
      where: new TextDecoder().decode(text),
    };
  }

  /** Whether all that was sent has been received, or taken by the library to be delivered. */
  isDelivered(): boolean {
    const { call } = this.#library;
    const { address, buffer } = this.#flags;
    return this.#sent.every((message) => {
      call.Testall(1, message.address + bytes, address, address + 8);
      return new Int32Array(buffer, 0, 1)[0] !== 0;
    });
  }
}
