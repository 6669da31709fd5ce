import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { initialParams, initialState } from "@chronograd/rnn";
import type { CellTestOptions, InputOption } from "@chronograd/rnn/testing";
import { UsageError } from "../command/errors.ts";
import type { LoadedCell, PlainCell } from "../modules/loadCell.ts";

/** What laws of a cell are measured on. */
export interface Examination {
  readonly name: string;
  readonly cell: PlainCell;
  /** Time steps. */
  readonly steps: number;
  /** Rows of a batch. */
  readonly batch: number;
  /** Largest error of gradients against differences. */
  readonly tolerance: number;
  readonly k1: number;
  readonly k2: number;
  /** What the file says about its tests: an export `check`. */
  readonly own: CellTestOptions<unknown, unknown, unknown>;
  /** An input of one step, float64. */
  input(random: Rng, batch: number): unknown;
}

/** Sizes of an examination. */
export type ExaminationSizes = Pick<Examination, "steps" | "batch" | "tolerance" | "k1" | "k2">;

/** Everything that the laws of a loaded cell are measured on. */
export function examinationOf(loaded: LoadedCell, sizes: ExaminationSizes): Examination {
  const { name, cell, exports } = loaded;
  const { check = {} } = exports;
  if (typeof check !== "object" || check === null || Array.isArray(check)) {
    throw new UsageError(
      `${name}: the export check must be options of testCell, such as { input: symbols(65) }, got ${typeof check}`,
    );
  }
  const own = check as Examination["own"];
  const drawInput = inputOf(name, cell, own.input ?? exampleOf(loaded));
  return {
    name,
    cell,
    own: { ...own, input: drawInput },
    input: (random, batch) => inFloat64(drawInput(random, batch)),
    ...sizes,
  };
}

/** The input of the definition's example, for a cell of the sizes of that example. */
function exampleOf({ family, sizes }: LoadedCell): Examination["input"] | undefined {
  const isSame = Object.entries(family?.sizes ?? {}).every(([key, size]) => sizes[key] === size);
  return isSame ? family?.input : undefined;
}

/** An input option of `testCell` as a function. */
function inputOf(
  name: string,
  { input }: PlainCell,
  option: InputOption<unknown> | undefined,
): (random: Rng, batch: number) => unknown {
  if (typeof option === "function") return option;
  const row = typeof option === "number" ? [option] : (option ?? input);
  if (row === undefined) {
    throw new UsageError(
      `${name}: it is not known what a step takes as input; export const check = { input: 3 } for 3 columns, { input: symbols(65) } for symbols, or { input: (random, batch) => ... }`,
    );
  }
  return (random, batch) => {
    const shape = [batch, ...row];
    const size = shape.reduce((product, length) => product * length, 1);
    return tensor(
      Float64Array.from({ length: size }, () => random.normal()),
      { shape },
    );
  };
}

/** The same tree with its float tensors in float64, which changes no value. */
export function inFloat64(values: unknown): unknown {
  return tree.map(values, (x: Tensor) => (x.dtype === "float32" ? x.cast("float64") : x));
}

/** Inputs of all steps. */
export function drawInputs({ steps, batch, input }: Examination, seed: number): unknown[] {
  return Array.from({ length: steps }, (_, t) => input(rng(seed, `input ${t + 1}`), batch));
}

/**
 * Parameters around those that the initialisers draw, but random in every element: what starts as
 * zero would hide whatever it is multiplied by.
 */
export function drawParams({ cell, own }: Examination, seed: number): unknown {
  const random = rng(seed, "params");
  if (own.params) return inFloat64(own.params(random));
  const initial = initialParams(cell, random.split("initial"), { dtype: "float64" });
  return tree.map(initial, (x: Tensor, path) => {
    if (x.dtype === "int32") return x;
    const noise = random.split(`noise ${path}`);
    const values = Float64Array.from({ length: x.size }, () => 0.3 * noise.normal());
    return x.add(tensor(values, { shape: x.shape }));
  });
}

/** The state before the first step, float64. */
export function startOf(cell: PlainCell, params: unknown, batch: number): unknown {
  return cell.initial
    ? cell.initial(params as never, batch)
    : initialState({ state: cell.state }, batch, { dtype: "float64" });
}

/** Every float of an output, by rows: `sum of y^2 + y`, which no sign of y hides from. */
export function lossOf(output: unknown): Tensor {
  const parts = tree.leaves(output).flatMap((y) => {
    if (y.dtype === "int32") return [];
    const rows = y.reshape([y.shape[0] ?? 1, -1]);
    return [rows.square().add(rows).sum(-1)];
  });
  if (parts.length === 0) throw new TypeError("the output holds no float tensor");
  return parts.reduce((total, part) => total.add(part));
}
