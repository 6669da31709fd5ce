import type { Block } from "../tensor/block.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * What one run leaves for the next: inputs, results, and values in between, all held until it ends.
 */
export class Residuals {
  readonly pointers: number[] = [];
  readonly blocks: Block[] = [];
  /** Tensors by their slot of the table, for results that are inputs. */
  readonly tensors: (Tensor | undefined)[] = [];
  record: Block | undefined;
  #ended = false;

  /** Returns the memory; what was made for results goes on as long as those do. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const block of this.blocks) block.release(reason);
    this.record?.release(reason);
  }
}
