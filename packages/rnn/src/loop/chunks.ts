import type { Tensor } from "@chronograd/autodiff";

/** Steps that run as one. */
export interface Chunk {
  /** Steps of the sequence before it, in time. */
  readonly start: number;
  readonly length: number;
  /** Rows have a step, or some are only reset, or nothing happens at all. */
  readonly kind: "steps" | "resets" | "nothing";
}

/** The chunks of a sequence, in the order in which they run. */
export class Chunks {
  readonly steps: number;
  readonly reverse: boolean;
  /** Steps before each chunk, in that order, and after the last one. */
  readonly #ends: readonly number[];
  readonly #kinds: ReadonlyMap<number, Chunk["kind"]>;

  /**
   * @param lengths of chunks that are possible, the longest first, 1 the last
   * @param emptiness of a step, in time from 0: the kind of those where no row has a step
   */
  constructor(
    steps: number,
    reverse: boolean,
    lengths: readonly number[],
    emptiness: (step: number) => Exclude<Chunk["kind"], "steps"> | undefined,
  ) {
    this.steps = steps;
    this.reverse = reverse;
    const ends = [0];
    const kinds = new Map<number, Chunk["kind"]>();
    const kindOf = (i: number) => emptiness(reverse ? steps - 1 - i : i);
    for (let i = 0; i < steps; ) {
      const kind = kindOf(i);
      let end = i + 1;
      if (kind === undefined) while (end < steps && kindOf(end) === undefined) end++;
      else kinds.set(ends.length - 1, kind);
      for (; i < end; ends.push(i)) i += lengths.find((length) => length <= end - i)!;
    }
    this.#ends = ends;
    this.#kinds = kinds;
  }

  get count(): number {
    return this.#ends.length - 1;
  }

  /** Steps of chunks `from` to `to - 1`. */
  stepsIn(from: number, to: number): number {
    return this.#ends[to]! - this.#ends[from]!;
  }

  /** A chunk of each length that has steps; where none has, a step that is taken for one. */
  examples(): readonly Chunk[] {
    const found = new Map<number, Chunk>();
    for (let index = 0; index < this.count; index++) {
      const chunk = this.at(index);
      if (chunk.kind === "steps" && !found.has(chunk.length)) found.set(chunk.length, chunk);
    }
    return found.size > 0 ? [...found.values()] : [{ start: 0, length: 1, kind: "steps" }];
  }

  at(index: number): Chunk {
    const [from, to] = [this.#ends[index]!, this.#ends[index + 1]!];
    const start = this.reverse ? this.steps - to : from;
    return { start, length: to - from, kind: this.#kinds.get(index) ?? "steps" };
  }
}

/** Which steps of a sequence no row has, from its marks. */
export function emptinessOf(
  mask: Tensor | undefined,
  resets: Tensor | undefined,
): (step: number) => "resets" | "nothing" | undefined {
  if (mask === undefined) return () => undefined;
  const [, rows] = mask.shape as [number, number];
  const [present, fresh] = [mask.toTypedArray(), resets?.toTypedArray()];
  const has = (values: ArrayLike<number>, step: number) => {
    for (let row = 0; row < rows; row++) if (values[step * rows + row] === 1) return true;
    return false;
  };
  return (step) => {
    if (has(present, step)) return undefined;
    return fresh !== undefined && has(fresh, step) ? "resets" : "nothing";
  };
}
