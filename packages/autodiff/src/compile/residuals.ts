import type { Backend } from "../tensor/backend.ts";
import { Block } from "../tensor/block.ts";
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

  /** Holds a block until this ends. */
  retain(block: Block): void {
    block.retain();
    this.blocks.push(block);
  }

  /** Room for what runs keep for each other, unless there is some. */
  makeRecord(backend: Backend, bytes: number): void {
    if (this.record !== undefined || bytes === 0) return;
    this.record = new Block(backend, backend.memory.allocate(bytes), bytes);
    this.record.retain();
  }

  /** Returns the memory; what was made for results goes on as long as those do. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const block of this.blocks) block.release(reason);
    this.record?.release(reason);
  }
}
