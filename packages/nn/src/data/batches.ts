import { checkOptions } from "@chronograd/autodiff/internal";
import { checkWhole, shown } from "../checks.ts";
import { Rng } from "../rng/rng.ts";

/** Options of `batches`. */
export interface BatchesOptions<E> {
  /** How many examples a batch has; the last one may have fewer. */
  readonly size: number;
  /** Draws the order; without it, examples come as they are given. */
  readonly rng?: Rng;
  /**
   * The length of an example. With it, examples of similar length come together, so that little of
   * a padded batch is padding, and the order of the batches is drawn.
   */
  readonly length?: (example: E, index: number) => number;
  /**
   * Leaves out the last examples of the order, as many as do not fill a batch; false unless given.
   */
  readonly dropLast?: boolean;
}

/**
 * One epoch: every example once, in batches. Called again with the same generator, it draws another
 * order. All draws are made in the call, so a loop that stops early changes nothing after it.
 *
 * @param examples any values; the array is read in the call, and not changed
 * @throws for a size that is no whole number of at least 1, a length that is no finite number of at
 *   least 0, or `dropLast` where it leaves no batch
 *
 * @example
 * ```ts
 * import { rng } from "@chronograd/nn";
 * import { batches } from "@chronograd/nn/data";
 *
 * const words = ["fugue", "aria", "suite", "duo"];
 * Array.from(batches(words, { size: 3 })); // => [["fugue", "aria", "suite"], ["duo"]]
 *
 * const order = rng(1, "order");
 * const length = (word: string) => word.length;
 * const epoch = Array.from(batches(words, { size: 2, rng: order, length }));
 * epoch.map((batch) => batch.map(length).sort()).sort(); // => [[3, 4], [5, 5]]
 * ```
 */
export function batches<E>(
  examples: readonly E[],
  options: BatchesOptions<E>,
): Generator<E[], void, undefined> {
  checkOptions("batches", options, ["size", "rng", "length", "dropLast"]);
  const { size, rng, length, dropLast = false } = options ?? {};
  if (!Array.isArray(examples)) {
    throw new TypeError(`batches: examples must be an array, got ${shown(examples)}`);
  }
  checkWhole(size, "size", "batches");
  if (rng !== undefined && !(rng instanceof Rng)) {
    throw new TypeError(
      `batches: rng must be a random generator, got ${shown(rng)}; rng(seed, "order") makes one`,
    );
  }
  const order = Array.from(examples.keys());
  if (rng !== undefined) shuffle(order, rng);
  if (dropLast) order.length -= order.length % size;
  if (dropLast && order.length === 0 && examples.length > 0) {
    throw new RangeError(
      `batches: dropLast leaves no batch of ${size}, got ${examples.length} examples; lower size or leave dropLast out`,
    );
  }
  if (length !== undefined) {
    const lengths = examples.map((example, index) => checkedLength(length(example, index), index));
    // The sort is stable, so examples of one length stay in the order that was drawn.
    order.sort((a, b) => lengths[a]! - lengths[b]!);
  }
  const indices = Array.from({ length: Math.ceil(order.length / size) }, (_, i) =>
    order.slice(i * size, (i + 1) * size),
  );
  if (length !== undefined && rng !== undefined) shuffle(indices, rng);
  return taken([...examples], indices);
}

function* taken<E>(
  examples: readonly E[],
  indices: readonly (readonly number[])[],
): Generator<E[], void, undefined> {
  for (const batch of indices) yield batch.map((index) => examples[index]!);
}

/** All orders are equally likely (Fisher & Yates 1938; Durstenfeld 1964). */
function shuffle(values: unknown[], rng: Rng): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = rng.integer(0, last + 1);
    [values[last], values[other]] = [values[other], values[last]];
  }
}

function checkedLength(length: number, index: number): number {
  if (Number.isFinite(length) && length >= 0) return length;
  throw new RangeError(
    `batches: length must give a finite number of at least 0, got ${shown(length)} for the example at index ${index}`,
  );
}
