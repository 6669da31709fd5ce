import type { Block } from "../tensor/block.ts";
import type { Entry } from "./entry.ts";
import { Queue } from "./queue.ts";

/**
 * What a recording holds, apart from the recording itself so that the garbage collector can return
 * it.
 */
export class Store {
  readonly entries: Queue<Entry> = new Queue();
  /** The latest value of each leaf, by slot. */
  readonly leaves: Block[] = [];
  /** The path at which each leaf was first watched, by slot. */
  readonly paths: string[] = [];
  /** Outputs of forgotten entries that the last mark carries, by id. */
  carried: Map<number, Block> = new Map();

  end(reason: string): void {
    for (const block of this.carried.values()) block.release(reason);
    for (const block of this.leaves) block.release(reason);
    this.carried.clear();
    this.leaves.length = 0;
    while (this.entries.length > 0) this.entries.shift().release(reason);
  }
}

let net: FinalizationRegistry<Store> | undefined;

/** The net under recordings that no scope ends. */
export function endWhenCollected(recording: object, store: Store): void {
  net ??= new FinalizationRegistry((held) => held.end("its tape was garbage-collected"));
  net.register(recording, store);
}
