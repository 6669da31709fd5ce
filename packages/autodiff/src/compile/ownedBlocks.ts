import { type Block, holdUntilCollected, releaseEarly } from "../tensor/block.ts";

/** Blocks that are held until `end`, or until this is collected. */
export class OwnedBlocks {
  /** Each block has an owner of its own in the garbage collector's net. */
  readonly #owned: (readonly [owner: object, block: Block])[] = [];

  add(block: Block): void {
    const owner = {};
    this.#owned.push([owner, block]);
    holdUntilCollected(owner, block);
  }

  end(reason: string): void {
    for (const [owner, block] of this.#owned) releaseEarly(owner, block, reason);
    this.#owned.length = 0;
  }
}
