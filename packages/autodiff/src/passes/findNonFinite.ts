import { nameOfInput } from "../ops/declare.ts";
import { constantId, type Entry, slotOf } from "../tape/entry.ts";
import type { Recording } from "../tape/recording.ts";
import { isFloat } from "../tensor/dtype.ts";
import { innermostPrimal, type Tensor } from "../tensor/tensor.ts";
import { backward, type Seed } from "./backward.ts";
import { describeSite, indexOf, type Site, siteOf } from "./site.ts";

/** The first NaN or infinity of a tape, and what it came from. */
export interface NonFinite extends Site {
  readonly sweep: "forward" | "backward";
  /** NaN, Infinity or -Infinity. */
  readonly value: number;
  /** Where the value stands: an output, a parameter or constant that came in, or a cotangent. */
  readonly of: string;
  /** Index of the element along each axis. */
  readonly index: string;
  /**
   * Each input of the op: its name, where it came from, and the element that stands at that place,
   * or its largest.
   */
  readonly causes: readonly string[];
  /** All of it as a sentence. */
  readonly message: string;
}

/** What counts as a find. */
export interface FindNonFiniteOptions {
  /**
   * Passes infinities over and looks for NaN alone, for programs that mask with -Infinity; false
   * unless given.
   */
  readonly onlyNaN?: boolean;
}

/**
 * The first non-finite value of a recording in time order, then, with seeds, that of a backward
 * sweep.
 */
export function findNonFinite(
  recording: Recording,
  seeds: readonly Seed[] = [],
  targets: readonly Tensor[] = [],
  { onlyNaN = false }: FindNonFiniteOptions = {},
): NonFinite | undefined {
  const isBad = onlyNaN ? Number.isNaN : (value: number) => !Number.isFinite(value);
  const finder = new Finder(recording, isBad);
  return finder.forward() ?? (seeds.length > 0 ? finder.backward(seeds, targets) : undefined);
}

class Finder {
  readonly recording: Recording;
  readonly isBad: (value: number) => boolean;

  constructor(recording: Recording, isBad: (value: number) => boolean) {
    this.recording = recording;
    this.isBad = isBad;
  }

  /** Position of the first bad element; -1 when there is none. */
  #badIn(x: Tensor): number {
    return isFloat(x.dtype) ? innermostPrimal(x).toTypedArray().findIndex(this.isBad) : -1;
  }

  forward(): NonFinite | undefined {
    const { entries, base } = this.recording;
    for (let position = base; position < base + entries.length; position++) {
      const entry = entries.at(position);
      // What came in comes first: an op is not to blame for it.
      for (const [i, input] of entry.inputs.entries()) {
        if (entry.ids[i]! >= base) continue;
        const at = this.#badIn(input);
        if (at >= 0)
          return this.#found(entry, position, "forward", this.#source(entry, i), input, at);
      }
      const at = this.#badIn(entry.output);
      if (at >= 0) return this.#found(entry, position, "forward", "its output", entry.output, at);
    }
    return undefined;
  }

  backward(seeds: readonly Seed[], targets: readonly Tensor[]): NonFinite | undefined {
    let first: NonFinite | undefined;
    const { entries } = this.recording;
    backward(this.recording, seeds, targets, {
      observer: {
        visit: (position, g) => {
          const at = first === undefined ? this.#badIn(g) : -1;
          if (at < 0) return;
          const entry = entries.at(position);
          const of = "the cotangent of its output (a sum of finite ones, or the one to start from)";
          first = this.#found(entry, position, "backward", of, g, at);
        },
        contribute: (position, input, cotangent) => {
          const at = first === undefined ? this.#badIn(cotangent) : -1;
          if (at < 0) return;
          const entry = entries.at(position);
          const of = `the cotangent of its input ${nameOfInput(entry.declaration, input)}`;
          first = this.#found(entry, position, "backward", of, cotangent, at);
        },
      },
    });
    return first;
  }

  /** Where an input comes from, in words. */
  #source(entry: Entry, input: number): string {
    const name = nameOfInput(entry.declaration, input);
    const id = entry.ids[input]!;
    if (id === constantId) return `the constant ${name}`;
    if (id >= 0) return `${name}, from ${this.#opAt(id)}`;
    const path = this.recording.pathOf(slotOf(id));
    return path === "" ? `the watched ${name}` : `"${path}"`;
  }

  #opAt(position: number): string {
    if (position < this.recording.base) return `entry ${position}, forgotten since`;
    return `${this.recording.entries.at(position).declaration.name}, entry ${position}`;
  }

  #found(
    entry: Entry,
    position: number,
    sweep: NonFinite["sweep"],
    of: string,
    x: Tensor,
    at: number,
  ): NonFinite {
    const site = siteOf(entry, position);
    const value = Number(innermostPrimal(x).toTypedArray()[at]);
    const index = indexOf(at, x.shape);
    const causes = entry.inputs.map((input, i) => {
      const where = this.#source(entry, i);
      const element = elementAt(innermostPrimal(input), x.shape, at);
      return element === undefined ? `${where} is empty` : `${where} ${element}`;
    });
    const where = describeSite(site);
    const message = `${sweep}: ${of} holds ${value} at ${index}: ${where}; ${causes.join("; ")}`;
    return { ...site, sweep, value, of, index, causes, message };
  }
}

/**
 * The element of an input that stands beside one of the output, if their shapes broadcast, else its
 * largest.
 */
function elementAt(input: Tensor, shape: readonly number[], at: number): string | undefined {
  if (input.size === 0) return undefined;
  const values = input.toTypedArray();
  const offset = shape.length - input.rank;
  const broadcasts =
    offset >= 0 && input.shape.every((n, axis) => n === 1 || n === shape[axis + offset]);
  if (!broadcasts) {
    let most = 0;
    for (let i = 1; i < values.length; i++) {
      if (!(Math.abs(values[i]!) <= Math.abs(values[most]!))) most = i;
    }
    return `is at most ${values[most]} in size, at ${indexOf(most, input.shape)}`;
  }
  let rest = at;
  let position = 0;
  let stride = 1;
  for (let axis = shape.length - 1; axis >= offset; axis--) {
    const n = input.shape[axis - offset]!;
    const i = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
    if (n > 1) position += i * stride;
    stride *= n;
  }
  return `is ${values[position]} there`;
}
