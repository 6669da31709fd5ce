import { type Block, holdUntilCollected, type Owner, releaseEarly } from "../tensor/block.ts";

/** Blocks that are held until `end`, or until this is collected. */
export class OwnedBlocks {
  /** Each block has its own owner for the finalizer. */
  readonly #owners: Owner[] = [];

  add(block: Block): void {
    this.#owners.push(holdUntilCollected(block));
  }

  end(reason: string): void {
    for (const owner of this.#owners) releaseEarly(owner, reason);
    this.#owners.length = 0;
  }
}
