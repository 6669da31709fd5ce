import type { Backend } from "./backend.ts";

/**
 * A run of bytes in a backend's memory and the count of those who need it: tape entries, regions,
 * and tensors that neither owns. At zero the bytes go back to the allocator at once.
 */
export class Block {
  readonly backend: Backend;
  readonly pointer: number;
  readonly bytes: number;
  /** Blocks made before this one. */
  readonly serial: number;
  /** How many need the bytes; 0 before the first and after the last. */
  holders = 0;
  /** Raised when the contents may have changed from outside; see `liveView`. */
  version = 0;
  /** The first region that holds the block, and its index in that region's list. */
  region: Region | null = null;
  index = 0;
  /** The window that the contents come from: without an open scope they live as long as it does. */
  window: Region | null = null;
  /** Why the bytes are gone, once they are. */
  end: string | undefined;
  /** Who consumed the value in it: a program that keeps it as a constant must not go on with it. */
  consumed: string | undefined;

  /** Completes "the value is gone: ...", for whoever comes when nothing holds the block. */
  get whyGone(): string {
    return this.end ?? "nothing holds it";
  }

  constructor(backend: Backend, pointer: number, bytes: number) {
    this.backend = backend;
    this.pointer = pointer;
    this.bytes = bytes;
    this.serial = made++;
  }

  /** Adds one need; throws when the bytes were returned already. */
  retain(): void {
    if (this.end !== undefined) throw new Error(`a value is gone: ${this.end}`);
    this.holders++;
  }

  /**
   * Drops one need; `reason` completes the sentence "the value is gone: ..." for whoever comes
   * later.
   */
  release(reason: string): void {
    if (--this.holders === 0) {
      this.end = reason;
      this.backend.memory.release(this.pointer, this.bytes);
    }
    if (this.holders < 0)
      throw new Error("a block was released twice, which is a bug of this library");
  }
}

let made = 0;

/** Blocks made so far. */
export function blocksMade(): number {
  return made;
}

/** Something that a scope ends when it ends: a tape. */
export interface Ending {
  end(reason: string): void;
}

/** A set of blocks that end at the same time: a scope, or one window of a stream. */
export class Region {
  /** True for a window: values computed from its values join it wherever no scope is open. */
  readonly isWindow: boolean;
  /** Why a window is over, once it is. */
  ended: string | undefined;
  #blocks: Block[] = [];
  #endings: Ending[] = [];

  constructor(isWindow = false) {
    this.isWindow = isWindow;
  }

  /** Takes a share in a block. Throws when the block, or this window, is gone. */
  hold(block: Block): void {
    if (this.ended !== undefined) throw new Error(`a window is gone: ${this.ended}`);
    block.retain();
    if (this.isWindow) block.window = this;
    if (block.region === null) {
      block.region = this;
      block.index = this.#blocks.length;
    }
    this.#blocks.push(block);
  }

  /** Drops one block early. */
  drop(block: Block, reason: string): void {
    if (block.region !== this) return;
    const last = this.#blocks.pop()!;
    if (last !== block || this.#blocks.length !== block.index) {
      this.#blocks[block.index] = last;
      if (last.region === this && last.index === this.#blocks.length) last.index = block.index;
    }
    block.region = null;
    block.release(reason);
  }

  /** Ends `what` when this region ends. */
  endWith(what: Ending): void {
    this.#endings.push(what);
  }

  /** True if `what` ends when this region ends. */
  ends(what: object): boolean {
    return this.#endings.some((ending) => ending === what);
  }

  end(reason: string): void {
    for (const ending of this.#endings) ending.end(reason);
    for (const block of this.#blocks) {
      if (block.region === this) block.region = null;
      block.release(reason);
    }
    this.#blocks.length = 0;
    this.#endings.length = 0;
    if (this.isWindow) this.ended = reason;
  }
}

/**
 * The innermost open scope. It follows the call stack exactly (set on entry, restored in
 * `finally`), so it is no state that two users could fight over.
 */
let innermost: Region | null = null;

/** The innermost open scope, if any. */
export function currentRegion(): Region | null {
  return innermost;
}

/** Runs `body` with `region` as the innermost scope, and does not end it. */
export function within<T>(region: Region | null, body: () => T): T {
  const outer = innermost;
  innermost = region;
  try {
    return body();
  } finally {
    innermost = outer;
  }
}

/** What the garbage collector's net holds, until then. */
interface Held {
  block: Block | null;
}

/** In whose name the net holds a block. */
export interface Owner {
  readonly held: Held;
}

let net: FinalizationRegistry<Held> | undefined;

/**
 * For a value that no scope and no tape owns: its block is returned when the garbage collector
 * takes the owner that this gives.
 */
export function holdUntilCollected(block: Block): Owner {
  net ??= new FinalizationRegistry((held) => letGo(held, "it was garbage-collected"));
  block.retain();
  const held = { block };
  const owner = { held };
  net.register(owner, held);
  return owner;
}

/** Drops the net's hold. */
export function releaseEarly({ held }: Owner, reason: string): void {
  letGo(held, reason);
}

function letGo(held: Held, reason: string): void {
  const { block } = held;
  held.block = null;
  block?.release(reason);
}
