import { refuseTracing } from "@chronograd/autodiff/internal";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";
import { shown } from "../checks.ts";
import { type Key, keyOfChild, keyOfSeed } from "./key.ts";
import { logarithm } from "./logarithm.ts";

/**
 * Everything a generator is, as plain JSON: `rngFrom(state)` goes on where `getState()` was called.
 */
export interface RngState {
  readonly name: string;
  /** What the seed and the names amount to; `split` depends on nothing else. */
  readonly key: Key;
  /** Where the generator stands. */
  readonly position: Key;
  /** The second of a pair of normal draws, kept for the next call. */
  readonly spare: number | null;
}

/**
 * A seeded sequence of random draws that can be split into independent ones, saved and resumed.
 *
 * The generator is xoroshiro128+ (Blackman & Vigna 2021), of which only the upper bits of a draw
 * are used, and nothing in it depends on the engine: one seed and name give the same draws
 * everywhere.
 */
export class Rng {
  /** The names that led here, joined by "/"; empty for the generator of a seed alone. */
  readonly name: string;
  readonly #key: Key;
  readonly #generator: JumpableRandomGenerator;
  #spare: number | null;

  /** @internal */
  constructor({ name, key, position, spare }: RngState) {
    this.name = name;
    this.#key = key;
    this.#generator = xoroshiro128plusFromState(position);
    this.#spare = spare;
  }

  /** The next draw, from what a plan would draw only once. */
  #next(): number {
    refuseTracing(
      "a random generator was drawn from, and a plan would repeat the draw; draw outside, and pass it as an argument",
    );
    return this.#generator.next();
  }

  /** 32 random bits, as a whole number from 0 to 2^32 - 1. The upper ones are the better ones. */
  bits(): number {
    return this.#next() >>> 0;
  }

  /** A number from 0 (included) to 1 (excluded): a multiple of 2^-53, all equally likely. */
  uniform(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 2 ** 26 + low) * 2 ** -53;
  }

  /** A number of the standard normal distribution, by the polar method (Marsaglia & Bray 1964). */
  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const square = u * u + v * v;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * logarithm(square)) / square);
      this.#spare = v * factor;
      return u * factor;
    }
  }

  /**
   * A whole number from `low` (included) to `high` (excluded), all equally likely.
   *
   * @throws unless both are safe integers and `low` is below `high`, at most 2^53 apart
   */
  integer(low: number, high: number): number {
    const count = high - low;
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || count < 1 || count > 2 ** 53) {
      throw new RangeError(
        `integer: expected whole numbers with low below high, at most 2^53 apart, got low ${shown(low)} and high ${shown(high)}; high itself is never drawn`,
      );
    }
    // As many upper bits as the largest offset has, drawn again until they are one of the `count`
    // offsets.
    const width = bitLength(count - 1);
    for (;;) {
      const offset =
        width <= 32
          ? this.#upper(width)
          : this.#upper(32) * 2 ** (width - 32) + this.#upper(width - 32);
      if (offset < count) return low + offset;
    }
  }

  /** The upper `width` bits of the next draw, 0 to 32. */
  #upper(width: number): number {
    return width === 0 ? 0 : this.#next() >>> (32 - width);
  }

  /**
   * The generator called `name` beneath this one. It depends on this generator's seed and names and
   * on `name`, and not on what was drawn: the order in which parts of a program split and draw does
   * not matter.
   *
   * @throws for an empty name
   */
  split(name: string): Rng {
    if (typeof name !== "string" || name === "") {
      throw new TypeError(
        `split: name must be a string that is not empty, got ${name === "" ? "an empty one" : String(name)}; name what the generator is for, for example "dropout"`,
      );
    }
    const key = keyOfChild(this.#key, name);
    const path = this.name === "" ? name : `${this.name}/${name}`;
    return new Rng({ name: path, key, position: positionOf(key), spare: null });
  }

  /** The whole state as plain JSON, for `rngFrom`. */
  getState(): RngState {
    const [a, b, c, d] = this.#generator.getState();
    return { name: this.name, key: this.#key, position: [a!, b!, c!, d!], spare: this.#spare };
  }
}

function bitLength(x: number): number {
  return x < 2 ** 32 ? 32 - Math.clz32(x) : 64 - Math.clz32(Math.floor(x / 2 ** 32));
}

/** Where the generator of a key starts: the one position it must never have is all zeros. */
function positionOf(key: Key): Key {
  return key.every((word) => word === 0) ? [1, 0, 0, 0] : key;
}

/**
 * The random generator of a seed, or the one called `name` beneath it: `rng(7, "data")` is
 * `rng(7).split("data")`.
 *
 * @param seed any safe integer
 * @throws for a seed that is not a safe integer, or an empty name
 *
 * @example
 * ```ts
 * import { rng } from "@chronograd/nn";
 *
 * const dropout = rng(7).split("dropout");
 * const again = rng(7, "dropout");
 * dropout.uniform() === again.uniform(); // => true
 * ```
 */
export function rng(seed: number, name?: string): Rng {
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `rng: seed must be a whole number between -2^53 and 2^53, got ${shown(seed)}`,
    );
  }
  const key = keyOfSeed(seed);
  const root = new Rng({ name: "", key, position: positionOf(key), spare: null });
  return name === undefined ? root : root.split(name);
}
