import {
  closeSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { WorkerError } from "../../src/index.ts";
import type { Transport } from "../../src/parallel.ts";
import { type Connect, sleep } from "./conformance.ts";

/** A transport between workers that share no memory, only a folder: a message is a file. */
export class Files implements Transport {
  readonly rank: number;
  readonly size: number;
  readonly messageBytes: number;
  readonly message: Uint8Array;
  readonly #folder: string;
  #round = 0;

  constructor(folder: string, rank: number, size: number, messageBytes: number) {
    this.rank = rank;
    this.size = size;
    this.messageBytes = messageBytes;
    this.message = new Uint8Array(messageBytes);
    this.#folder = folder;
  }

  allGather(bytes: number, where: string): readonly Uint8Array[] {
    this.#send(bytes);
    return Array.from({ length: this.size }, (_, r) => this.#receive(r, 0, bytes, where));
  }

  allToAll(bytes: number, where: string): readonly Uint8Array[] {
    this.#send(this.messageBytes);
    const start = Math.min(this.messageBytes, this.rank * bytes);
    return Array.from({ length: this.size }, (_, r) => this.#receive(r, start, bytes, where));
  }

  broadcast(bytes: number, root: number, where: string): Uint8Array {
    this.#send(bytes);
    return this.#receive(root, 0, bytes, where);
  }

  /** Says that this worker takes part no more. */
  leave(): void {
    writeFileSync(this.#path("gone", this.rank), "");
  }

  #path(round: number | "gone", rank: number): string {
    return join(this.#folder, `${round}-${rank}`);
  }

  /** Whoever sees the file sees all of it. */
  #send(bytes: number): void {
    const path = this.#path(++this.#round, this.rank);
    writeFileSync(`${path}.part`, this.message.subarray(0, bytes));
    renameSync(`${path}.part`, path);
  }

  #receive(rank: number, start: number, bytes: number, where: string): Uint8Array {
    // Broadcasts wait for all, too: nobody is two exchanges ahead, and files of two exchanges ago
    // have been read.
    for (let r = 0; r < this.size; r++) this.#await(r, where);
    rmSync(this.#path(this.#round - 2, this.rank), { force: true });
    const received = new Uint8Array(this.messageBytes);
    const file = openSync(this.#path(this.#round, rank), "r");
    readSync(file, received, start, Math.min(bytes, this.messageBytes - start), start);
    closeSync(file);
    return received;
  }

  #await(rank: number, where: string): void {
    const path = this.#path(this.#round, rank);
    const begin = performance.now();
    for (;;) {
      // In this order, because a worker may send and then go.
      const isGone = existsSync(this.#path("gone", rank));
      if (existsSync(path)) return;
      if (isGone || performance.now() - begin > 30_000) {
        const how = isGone ? "is gone" : "has not come for half a minute";
        const what = `it ${how} while worker ${this.rank} waits for it in ${where}`;
        throw new WorkerError(rank, this.size, what);
      }
      sleep(0.05);
    }
  }
}

interface Folder {
  readonly folder: string;
  readonly messageBytes: number;
}

/**
 * This rank's end, and how it goes: the program calls `leave` when the rank has failed. Every rank
 * gets the same connection, as `postMessage` copies it.
 */
const connect: Connect<Folder> = ({ folder, messageBytes }, rank, size) => {
  const transport = new Files(folder, rank, size, messageBytes);
  return { transport, leave: () => transport.leave() };
};
export default connect;
