import {
  concat,
  eye,
  scope,
  type Tensor,
  type TensorOptions,
  tensor,
  tree,
  zeros,
} from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import { Transition } from "../derivatives/transition.ts";
import { rowSize, rowsVector } from "../derivatives/vectors.ts";
import { atStep } from "../stepErrors.ts";
import { presentRows } from "./presentRows.ts";
import { type FlowSource, type TrajectoryOptions, withTrajectory } from "./trajectory.ts";

/** What `effectiveMemory` takes. */
export interface EffectiveMemoryOptions<State> extends TrajectoryOptions<State> {
  /** Paths of the leaves of the state to look at, such as `["c"]`; all unless given. */
  readonly leaves?: readonly string[];
}

/** How long the units of one leaf of a state remember. */
export interface LeafMemory {
  /** The path of the leaf in the state. */
  readonly path: string;
  /** Whether each unit depends on itself alone, as in the memory of an LSTM. */
  readonly isElementwise: boolean;
  /** By unit: the geometric mean of `|d unit_t / d unit_(t - 1)|` over steps and rows. */
  readonly factor: readonly number[];
  /**
   * By unit: `-1 / log(factor)` steps, in which what was in the unit falls to `1 / e`; 0 where the
   * factor is 0, `null` where it is 1 or more and nothing is forgotten.
   */
  readonly timescale: readonly (number | null)[];
}

/** How long the units of a state remember. Plain data. */
export interface EffectiveMemory {
  readonly steps: number;
  readonly rows: number;
  readonly leaves: readonly LeafMemory[];
}

/** A leaf, and where it stands in the vector of a row. */
interface Part {
  readonly path: string;
  readonly from: number;
  readonly size: number;
  readonly logs: Float64Array;
  isElementwise: boolean;
}

/**
 * The **effective memory** of each unit of a state: how much of it one step keeps,
 * `d unit_t / d unit_(t - 1)` with everything else before the step held constant, and the time
 * after which little is left of it. For the memory c of an LSTM the factor is the forget gate, and
 * the timescale `-1 / log f` (Tallec & Ollivier 2018, Can recurrent neural networks warp time?;
 * Mahto, Vo, Turek & Huth 2021, Multi-timescale representation learning in LSTM language models).
 * Rows without a step, and those that are reset, have no part in the means.
 *
 * What units remember together, such as the hidden units of an Elman network through each other, is
 * not seen here: that is in the Lyapunov exponents and in `lagMatrix`.
 *
 * Cost: for each step, 1 + log2(n) pushes for each leaf of n units, or n pushes where its units
 * depend on each other, as batches of up to `64 B` rows; the stretch once forward. For a large LSTM
 * ask for `leaves: ["c"]` alone.
 *
 * @param stream `{ inputs [T, B, ...] }` or steps, synchronous; no targets needed
 * @throws for a derivative that is not finite, with its step, and where no row has a step
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 * import { lstm } from "@chronograd/rnn";
 * import { effectiveMemory } from "@chronograd/rnn/flow";
 *
 * // Without weights the forget gate is sigmoid(b): 0.9 of the memory is kept at each step.
 * const cell = lstm({ input: 2, hidden: 1 });
 * const params = { W: zeros([2, 4]), U: zeros([1, 4]), b: tensor([0, Math.log(9), 0, 0]) };
 * const { leaves } = effectiveMemory(cell, params, { inputs: zeros([20, 1, 2]) });
 * leaves.map(({ path }) => path); // => ["h", "c"]
 * leaves[1]?.timescale[0]?.toFixed(2); // => "9.49"
 * ```
 */
export function effectiveMemory<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: FlowSource<X>,
  options: EffectiveMemoryOptions<State> = {},
): EffectiveMemory {
  const where = "effectiveMemory";
  checkOptions(where, options, ["leaves", "state", "rng"]);
  return withTrajectory(where, cell, params, stream, options, (trajectory) => {
    const { before: first } = trajectory[0]!;
    const rows = rowsVector(first).shape[0]!;
    const parts = partsOf(where, first, options.leaves);
    let count = 0;
    for (const { t, step, before } of trajectory) {
      scope(() => {
        const reset = step.reset?.toTypedArray();
        const present = presentRows(step, rows).filter((row) => reset?.[row] !== 1);
        count += present.length;
        if (present.length === 0) return;
        const transition = new Transition(cell, params, step, before);
        for (const part of parts) {
          const diagonal = atStep(`${where}: step`, t, () => diagonalOf(transition, part));
          for (const row of present) {
            for (let unit = 0; unit < part.size; unit++) {
              const value = diagonal[row * part.size + unit]!;
              if (!Number.isFinite(value)) throw notFinite(where, part.path, unit, t, value);
              part.logs[unit]! += Math.log(Math.abs(value));
            }
          }
        }
      });
    }
    if (count === 0) {
      throw new RangeError(
        `${where}: no row has a step that is not reset, so nothing is remembered; give a stretch with such steps`,
      );
    }
    const leaves = parts.map(({ path, isElementwise, logs }): LeafMemory => {
      const mean = Array.from(logs, (sum) => sum / count);
      const timescale = mean.map((log) => (log < 0 ? -1 / log : null));
      return { path, isElementwise, factor: mean.map(Math.exp), timescale };
    });
    return { steps: trajectory.length, rows, leaves };
  });
}

function partsOf(where: string, state: unknown, wanted: unknown): Part[] {
  let from = 0;
  const floats = tree.leavesWithPath(state).filter(([, { dtype }]) => dtype !== "int32");
  const all = floats.map(([path, x]) => {
    const size = rowSize(x);
    from += size;
    return { path, from: from - size, size, isElementwise: true, logs: new Float64Array(size) };
  });
  if (wanted === undefined) return all;
  const paths = all.map(({ path }) => path);
  if (Array.isArray(wanted) && wanted.every((path) => paths.includes(path))) {
    return all.filter(({ path }) => wanted.includes(path));
  }
  throw new TypeError(
    `${where}: leaves must be a list of paths of the state, among ${textOf(paths)}, got ${textOf(wanted)}`,
  );
}

/** How much larger than a rounding error off-diagonal elements must be to be seen. */
const tolerance = { float32: 1e-5, float64: 1e-12 };

/**
 * The diagonal of a leaf's own block of the Jacobian, `[B, n]`. A matrix D that is diagonal has
 * `v * (D v) = diag D` for every vector v of signs: here all ones, and the signs by each bit of the
 * unit's number, so that any two units have opposite signs in one of them. Where these differ, the
 * columns are pushed one by one.
 */
function diagonalOf<P, S, X, Y>(transition: Transition<P, S, X, Y>, part: Part): Float64Array {
  const { rows: B, size: H } = transition;
  const { from, size } = part;
  const { dtype, backend } = transition.before;
  /** The leaf's part of `J v`, for K directions `[K, n]` of the leaf alone: `[K, B, n]`. */
  const push = (directions: Tensor): Tensor => {
    const K = directions.shape[0]!;
    const pad = (n: number) => zeros([K, 1, n], { dtype, backend });
    const own = directions.reshape([K, 1, size]);
    const whole = concat([pad(from), own, pad(H - from - size)], -1).broadcastTo([K, B, H]);
    return transition.push(whole).slice([null, null, [from, from + size]]);
  };
  if (!part.isElementwise) return columnByColumn(push, size, B, { dtype, backend });
  const probes = 1 + Math.ceil(Math.log2(size));
  const signOf = (probe: number, unit: number) => (probe > 0 && (unit >> (probe - 1)) & 1 ? -1 : 1);
  const signs = tensor(
    Float64Array.from({ length: probes * size }, (_, i) => signOf(Math.floor(i / size), i % size)),
    { shape: [probes, size], backend },
  ).cast(dtype);
  const found = push(signs)
    .mul(signs.reshape([probes, 1, size]))
    .toTypedArray();
  const first = Float64Array.from(found.subarray(0, B * size));
  const scale = first.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const least = tolerance[dtype as "float32" | "float64"] * scale;
  const isSame = (x: number, i: number) => Math.abs(x - first[i % (B * size)]!) <= least;
  if (found.every(isSame)) return first;
  part.isElementwise = false;
  return columnByColumn(push, size, B, { dtype, backend });
}

/** Columns that are pushed as one batch. */
const atOnce = 64;

/** The diagonal from every column of the block. */
function columnByColumn(
  push: (directions: Tensor) => Tensor,
  size: number,
  rows: number,
  place: TensorOptions,
): Float64Array {
  const diagonal = new Float64Array(rows * size);
  for (let start = 0; start < size; start += atOnce) {
    const end = Math.min(size, start + atOnce);
    const columns = push(eye(size, size, place).slice([[start, end]])).toTypedArray();
    for (let unit = start; unit < end; unit++) {
      for (let row = 0; row < rows; row++) {
        diagonal[row * size + unit] = columns[((unit - start) * rows + row) * size + unit]!;
      }
    }
  }
  return diagonal;
}

function notFinite(
  where: string,
  path: string,
  unit: number,
  t: number,
  value: number,
): RangeError {
  return new RangeError(
    `${where}: the derivative of unit ${unit} of the state${path === "" ? "" : ` "${path}"`} at step ${t} by itself is ${value}; look at the parameters, and at the input of that step`,
  );
}
