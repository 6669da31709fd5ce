/**
 * A list that grows at its end and is dropped from its front, at constant cost each, whose items
 * keep their positions.
 */
export class Queue<T> {
  #items: (T | undefined)[] = [];
  /** Where in `#items` the first one stands. */
  #head = 0;
  /** Position of the first item. */
  base: number;

  constructor(base = 0) {
    this.base = base;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Position after the last item. */
  get end(): number {
    return this.base + this.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The item at a position from `base` to `end - 1`. */
  at(position: number): T {
    return this.#items[this.#head + position - this.base]!;
  }

  /** Takes the first item away. */
  shift(): T {
    const item = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined;
    this.base++;
    // Moving the rest pays for itself: as many were taken since it was last moved.
    if (this.#head > 32 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i]!;
  }
}
