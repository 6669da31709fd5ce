import { ones, type Tensor, tree } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { checkChoice } from "../checkChoice.ts";
import { floatsOf, rowsVector } from "../derivatives/vectors.ts";
import type { LossReduction } from "../truncated/options.ts";
import type { StepLoss } from "../truncated/step.ts";
import type { StepSource } from "../truncated/stream.ts";
import { backwards } from "./backwards.ts";
import { checkLossOptions, type FlowLossOptions, lossAt } from "./lossAt.ts";
import { lengthOf } from "./orthonormal.ts";
import type { TrajectoryStep } from "./trajectory.ts";
import { withLosses } from "./withLosses.ts";

/** What `stateGradients` takes. */
export interface StateGradientsOptions<State, Y = Tensor, Target = Tensor>
  extends FlowLossOptions<State, Y, Target> {
  /** `"sum"` of all losses (the default), or their `"mean"` over all tokens. */
  readonly reduction?: LossReduction;
}

/**
 * Norms of `dL / dh_t`, for t from 0, the first state, to T - 1: the gradient that arrives at the
 * state after step t from the later steps. Plain data.
 */
export interface StateGradients {
  /** T. */
  readonly steps: number;
  /** B. */
  readonly rows: number;
  /** `norms[t]`: of the whole state of all rows, as one vector. */
  readonly norms: readonly number[];
  /** `byRow[b][t]`: of the state of one row. */
  readonly byRow: readonly (readonly number[])[];
  /** By path of the leaf, such as `"0.h"`: of that leaf in all rows, by t. */
  readonly byLeaf: Readonly<Record<string, readonly number[]>>;
  /** By path without its last part, such as `"0"`: of the leaves there, together. */
  readonly byLayer: Readonly<Record<string, readonly number[]>>;
}

/** By leaf, the squared norm of each row. */
type LeafNorms = readonly (readonly [path: string, rows: Float64Array])[];

/**
 * How strongly the loss of a whole stretch depends on the state at each step: norms of `dL / dh_t`,
 * by step, by layer, by leaf of the state and by row.
 *
 * `L` is the sum (or the mean) of all losses. `dL / dh_t` is the gradient that arrives at the state
 * after step t from steps t + 1 ... T, as in `stateGradientNorms` of a window of `truncated`; rows
 * are independent, so one number for a step is the norm over all rows.
 *
 * Cost: the stretch twice forward, and one pull for each step, with memory for the states of the
 * stretch and the tape of one step. It reads only values: no gradient changes.
 *
 * @param stream as `truncated` takes it, synchronous: `{ inputs [T, B, ...], targets }` or steps
 * @throws where all losses are `null`, for a loss or a gradient that is not finite, with its step,
 *   and for a state without floats
 *
 * @example
 * ```ts
 * import { type Tensor, zeros } from "@chronograd/autodiff";
 * import { defineCell } from "@chronograd/rnn";
 * import { stateGradients } from "@chronograd/rnn/flow";
 *
 * // x_t = x_{t-1} / 2 with a loss at the last step alone, x_4: dL / dx_t = 2^(t - 4).
 * const cell = defineCell({
 *   params: () => ({}),
 *   state: () => ({ x: { shape: [1], draw: () => Float64Array.of(1) } }),
 *   step: (_params, _input, { x }) => [x.mul(0.5), { x: x.mul(0.5) }],
 * })({ input: 1, hidden: 1 });
 * const steps = [1, 2, 3, 4].map((t) => ({ input: zeros([1, 1]), target: t }));
 * const loss = (x: Tensor, t: number) => (t === 4 ? x.sum() : null);
 * stateGradients(cell, {}, steps, { loss }).norms; // => [0.0625, 0.125, 0.25, 0.5]
 * ```
 */
export function stateGradients<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: StepSource<X, Target>,
  options: StateGradientsOptions<State, Y, Target>,
): StateGradients {
  const where = "stateGradients";
  checkLossOptions(where, stream, options, ["reduction"]);
  const { loss, reduction = "sum" } = options;
  checkChoice(where, "reduction", reduction, ["sum", "mean"]);
  return withLosses(where, cell, params, stream, options, (trajectory) => {
    const rows = rowsVector(trajectory[0]!.before).shape[0]!;
    const found: LeafNorms[] = [];
    let [tokens, losses] = [0, 0];
    backwards<(typeof trajectory)[number], Values<State> | undefined>(
      ...([where, trajectory, undefined] as const),
      (at, after) => {
        const { gradient, count } = gradientBefore(where, cell, params, at, loss, after);
        tokens += count ?? 0;
        losses += count === undefined ? 0 : 1;
        found.unshift(rowNormsOf(where, gradient, at.t - 1));
        return gradient;
      },
    );
    if (losses === 0) {
      throw new RangeError(
        `${where}: the loss is null at all ${trajectory.length} steps, so there is no gradient; return a tensor at one step at least`,
      );
    }
    const scale = reduction === "mean" && tokens > 0 ? 1 / tokens : 1;
    return normsOf(found, rows, scale);
  });
}

/** `dL / dh_{t-1}` from step t on, given `dL / dh_t` from the steps after it. */
function gradientBefore<Params, State, X, Y, Target>(
  where: string,
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  at: TrajectoryStep<State, X, Target>,
  lossOf: StepLoss<Y, Target>,
  later: Values<State> | undefined,
): { readonly gradient: Values<State>; readonly count: number | undefined } {
  const { tape, before, next, loss, count } = lossAt(where, cell, params, at, lossOf);
  const all = loss === null ? [] : [[loss, likeOnes(loss)] as const];
  const states = later === undefined ? [] : floatsOf(later);
  for (const [i, x] of floatsOf(next).entries()) {
    if (later !== undefined && tape.tracks(x)) all.push([x, states[i]!]);
  }
  const cotangent = all.map(([, g]) => g);
  const gradient = tape.gradient(
    all.map(([x]) => x),
    before,
    { cotangent },
  ) as Values<State>;
  return { gradient, count: loss === null ? undefined : count };
}

function likeOnes({ shape, dtype, backend }: Tensor): Tensor {
  return ones(shape, { dtype, backend });
}

/** By leaf the norm of each row, whatever its scale. */
function rowNormsOf(where: string, gradient: unknown, t: number): LeafNorms {
  const floats = tree.leavesWithPath(gradient).filter(([, x]) => x.dtype !== "int32");
  return floats.map(([path, x]) => {
    const values = Float64Array.from(x.toTypedArray());
    const rows = x.shape[0]!;
    const size = values.length / rows;
    const norms = Float64Array.from({ length: rows }, (_, row) => {
      return lengthOf(values.subarray(row * size, (row + 1) * size));
    });
    const wrong = norms.find((norm) => !Number.isFinite(norm));
    if (wrong === undefined) return [path, norms];
    throw new RangeError(
      `${where}: the gradient by the state${path === "" ? "" : ` "${path}"`} after step ${t} is ${wrong}; look at the parameters, or give a shorter stretch where gradients explode`,
    );
  });
}

function normsOf(found: readonly LeafNorms[], rows: number, scale: number): StateGradients {
  const steps = found.length;
  /** By step, the norm of what `select` takes, of all rows or of one. */
  const norms = (isPart: (path: string) => boolean, row?: number) =>
    found.map((leaves) => {
      const parts = leaves.flatMap(([path, list]) => {
        if (!isPart(path)) return [];
        return row === undefined ? Array.from(list) : [list[row]!];
      });
      return scale * lengthOf(Float64Array.from(parts));
    });
  const paths = found[0]!.map(([path]) => path);
  const byName = (names: readonly string[], nameOf: (path: string) => string) =>
    Object.fromEntries(names.map((name) => [name, norms((path) => nameOf(path) === name)]));
  return {
    steps,
    rows,
    norms: norms(() => true),
    byRow: Array.from({ length: rows }, (_, row) => norms(() => true, row)),
    byLeaf: byName(paths, (path) => path),
    byLayer: byName([...new Set(paths.map(layerOf))], layerOf),
  };
}

/** The path of a leaf without its last part. */
function layerOf(path: string): string {
  return path.split(".").slice(0, -1).join(".");
}
