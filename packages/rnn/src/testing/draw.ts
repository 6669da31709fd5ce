import { type Backend, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { initialize, type Rng, rng } from "@chronograd/nn";
import type { Cell } from "../cell.ts";
import { initialState } from "../initial.ts";

/** A cell without its types. */
export type PlainCell = Cell<unknown, unknown, unknown, unknown>;

/** Random elements of a shape, float64. */
export function drawn(
  shape: readonly number[],
  next: () => number,
  options: { readonly backend?: Backend } = {},
): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  const elements = Float64Array.from({ length: size }, next);
  return tensor(elements, { shape, ...options });
}

/**
 * Parameters around those that the initialisers draw, but random in every element: what starts as
 * zero would hide whatever it is multiplied by. Matrices move by up to 1 / sqrt(rows), everything
 * else by up to 1/2.
 */
export function drawParams(cell: { readonly params: unknown }, random: Rng): unknown {
  const initial = initialize(cell.params, random.split("initial"), { dtype: "float64" });
  return tree.map(initial, (x: Tensor, path) => {
    if (x.dtype === "int32") return x;
    const noise = random.split(path === "" ? "noise" : `noise ${path}`);
    const spread = x.rank > 1 ? 1 / Math.sqrt(x.shape[0]!) : 0.5;
    return x.add(drawn(x.shape, () => spread * symmetric(noise), { backend: x.backend }));
  });
}

/**
 * A state around the initial one, random in every element by up to 1; whole numbers stay, as they
 * may be indices.
 */
export function drawState(cell: PlainCell, random: Rng, batch: number): unknown {
  const initial = initialState({ state: cell.state }, batch, { dtype: "float64" });
  return tree.map(initial, (x: Tensor, path) => {
    if (x.dtype === "int32") return x;
    const noise = random.split(path === "" ? "noise" : `noise ${path}`);
    return x.add(drawn(x.shape, () => symmetric(noise), { backend: x.backend }));
  });
}

function symmetric(random: Rng): number {
  return 2 * random.uniform() - 1;
}

/** The same tree with its float tensors in float64, which changes no value. */
export function inFloat64(values: unknown): unknown {
  return tree.map(values, (x: Tensor) => (x.dtype === "float32" ? x.cast("float64") : x));
}

/** How to draw one input: a number of columns, the shape of a row, or a function. */
export type InputOption<X> = number | readonly number[] | ((random: Rng, batch: number) => X);

/**
 * An input option as a function; without one, rows as the cell says, or of the only number of
 * columns that it takes.
 */
export function inputOf(
  cell: PlainCell,
  option: InputOption<unknown> | undefined,
  where: string,
): (random: Rng, batch: number) => unknown {
  if (typeof option === "function") return (random, batch) => inFloat64(option(random, batch));
  const row = typeof option === "number" ? [option] : (option ?? shapeOf(cell, where));
  if (!Array.isArray(row) || row.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new TypeError(
      `${where}: input must be a number of columns, the shape of a row, or a function (random, batch) => input, got ${JSON.stringify(option)}`,
    );
  }
  return (random, batch) => drawn([batch, ...row], () => random.normal());
}

/** As the cell says, or one axis: a cell throws for any other number of columns than its own. */
function shapeOf(cell: PlainCell, where: string): readonly number[] {
  const { input = [] } = cell;
  return input.length > 1 ? input : [guessColumns(cell, where)];
}

/** The only number of columns that a cell takes. */
function guessColumns(cell: PlainCell, where: string): number {
  const params = drawParams(cell, rng(1, "guess"));
  const widths = new Set([1]);
  tree.map(params, (x: Tensor) => {
    for (const length of x.shape) widths.add(length);
  });
  const taken: number[] = [];
  let why = "";
  let isRead = false;
  for (const width of [...widths].sort((a, b) => a - b)) {
    try {
      const tape = new Tape();
      const x = tape.watch(drawn([2, width], () => 0.5));
      const result = cell.step(
        params,
        x,
        initialState({ state: cell.state }, 2, { dtype: "float64" }),
      );
      isRead ||= tree.leaves(result).some((y) => tape.tracks(y));
      taken.push(width);
    } catch (error) {
      why = ` (${error instanceof Error ? error.message : String(error)})`;
    }
  }
  if (taken.length === 1) return taken[0]!;
  const list = (taken.length === 0 ? [...widths] : taken).sort((a, b) => a - b).join(", ");
  const found =
    taken.length === 0
      ? `none of ${list} columns works${why}`
      : `inputs of ${list} columns all work${isRead ? "" : ", and the step reads none"}`;
  throw new TypeError(
    `${where}: cannot tell what this cell takes as input, ${found}; pass { input: 3 } for 3 columns, { input: symbols(65) } for symbols, or { input: (random, batch) => ... }`,
  );
}

/**
 * Draws int32 symbols `[batch]` from 0 to `count - 1`: the input of a model that begins with an
 * embedding.
 *
 * @throws when called with a count below 1
 *
 * @example
 * ```ts
 * import { embedding } from "@chronograd/nn";
 * import { elman, sequential } from "@chronograd/rnn";
 * import { symbols, testCell } from "@chronograd/rnn/testing";
 *
 * const model = sequential({
 *   embedding: embedding({ input: 5, output: 2 }),
 *   elman: elman({ input: 2, hidden: 2 }),
 * });
 * testCell(model, { input: symbols(5), runs: 1 }).ok; // => true
 * ```
 */
export function symbols(count: number): (random: Rng, batch: number) => Tensor {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`symbols: count must be a whole number of at least 1, got ${count}`);
  }
  return (random, batch) =>
    tensor(Int32Array.from({ length: batch }, () => random.integer(0, count)));
}
