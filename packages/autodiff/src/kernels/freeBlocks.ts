/** The largest size class that fits the address space. */
export const largest: number = 7 * 2 ** 29;
const smallest = 64;

/** Class of a size: 64, 80, 96, 112, 128, 160, ... bytes. */
export function sizeClass(bytes: number): number {
  if (bytes <= smallest) return 0;
  const power = 31 - Math.clz32(bytes - 1);
  return ((power - 6) << 2) + ((bytes - 1) >>> (power - 2)) - 3;
}

/** Bytes of a block of a class. */
export function classSize(index: number): number {
  return (4 + (index & 3)) * (1 << ((index >> 2) + 4));
}

/**
 * The free blocks of a memory: a list for each size class. Free neighbours stay apart until
 * `merge`, so that what a loop does over and over, to return blocks and to ask for the same sizes
 * again, is a push and a pop.
 */
export class FreeBlocks {
  #lists: number[][] = Array.from({ length: sizeClass(largest) + 1 }, () => []);
  /** Blocks given back since the last merge, and those that it left. */
  #given = 0;
  #left = 0;

  /** How many there are. */
  get count(): number {
    return this.#lists.reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * True when enough blocks came back since the last merge to pay for another: its time is in
   * proportion to those and to the blocks that the last one left.
   */
  get mayMerge(): boolean {
    return this.#given > this.#left / 4;
  }

  /** Takes a block that was in use. */
  give(pointer: number, index: number): void {
    this.#given++;
    this.#lists[index]!.push(pointer);
  }

  /** A block of exactly this class. */
  take(index: number): number | undefined {
    return this.#lists[index]!.pop();
  }

  /** A block of this class, cut from the smallest from which nothing is lost. */
  cut(index: number): number | undefined {
    const size = classSize(index);
    for (let from = index; from < this.#lists.length; from++) {
      const rest = classSize(from) - size;
      if (this.#lists[from]!.length === 0 || (rest > 0 && rest < smallest)) continue;
      const pointer = this.#lists[from]!.pop()!;
      this.#divide(pointer + size, rest);
      return pointer;
    }
    return undefined;
  }

  /**
   * Joins neighbours to runs, and divides each run anew. The run that ends at `top` is no longer
   * among the free blocks: returns where it begins, or `top` without one.
   */
  merge(top: number): number {
    // Exact in a float64: addresses are below 2^32, and classes below 2^7.
    const blocks = Float64Array.from(
      this.#lists.flatMap((list, index) => list.map((pointer) => pointer * 128 + index)),
    ).sort();
    for (const list of this.#lists) list.length = 0;
    let [start, end] = [top, top];
    for (const block of blocks) {
      const pointer = Math.floor(block / 128);
      if (pointer !== end) {
        this.#divide(start, end - start);
        start = pointer;
      }
      end = pointer + classSize(block % 128);
    }
    if (end < top) this.#divide(start, end - start);
    this.#given = 0;
    this.#left = this.count;
    return end < top ? top : start;
  }

  /** Divides a run of bytes into blocks, the largest first. */
  #divide(start: number, bytes: number): void {
    for (let rest = bytes; rest > 0; ) {
      // The largest class within the rest, and the next one where less than a block would be left.
      let index = sizeClass(rest + 1) - 1;
      while (rest > classSize(index) && rest - classSize(index) < smallest) index--;
      this.#lists[index]!.push(start + bytes - rest);
      rest -= classSize(index);
    }
  }
}
