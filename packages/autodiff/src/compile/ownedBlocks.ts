import { type Block, holdUntilCollected, releaseEarly } from "../tensor/block.ts";

/** Blocks that are held until `end`, or until this is collected. */
export class OwnedBlocks {
  /** Each block has its own owner for the finalizer. */
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
