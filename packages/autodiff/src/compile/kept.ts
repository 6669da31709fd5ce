import { type Block, registerOwner, unregisterOwner } from "../tensor/block.ts";

/** Blocks that are held until `end`, or until this is collected. */
export class Kept {
  /** Each block has an owner of its own in the garbage collector's net. */
  readonly #owned: (readonly [owner: object, block: Block])[] = [];

  add(block: Block): void {
    const owner = {};
    this.#owned.push([owner, block]);
    registerOwner(owner, block);
  }

  end(reason: string): void {
    for (const [owner, block] of this.#owned) unregisterOwner(owner, block, reason);
    this.#owned.length = 0;
  }
}
