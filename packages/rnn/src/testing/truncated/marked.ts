import { concat, detach, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Rng, rngFrom } from "@chronograd/nn";
import { initialState } from "../../initial.ts";
import { runStep } from "../../runStep.ts";
import type { Noise } from "../../sequences/noise.ts";
import type { TimeStep } from "../../truncated/step.ts";
import type { PlainCell } from "../draw.ts";
import type { PlainLoss } from "./experiment.ts";

/** What is made of marks by mistake. */
export type MarkMistake =
  | "reset keeps the gradient"
  | "resets ignored"
  | "initial state constant"
  | "state times mask"
  | "masked state goes on"
  | "masked losses";

/** The noise of one step, for those rows of the batch that have it. */
export type NoiseOfRows = (rows: readonly number[]) => unknown;

/** A step with its marks as they are, and its noise. */
export interface MarkedStep extends TimeStep<unknown, unknown> {
  readonly noise?: NoiseOfRows;
}

/**
 * One step by its definition, with slices and concatenation alone: rows that are reset are replaced
 * by new ones, the rows that have a step run as a batch of their own, and the others are put beside
 * them as they were. Nothing is filled in, selected or masked.
 */
export function stepWithMarks(
  model: PlainCell,
  loss: PlainLoss,
  params: unknown,
  step: MarkedStep,
  state: unknown,
  batch: number,
  mistake?: MarkMistake,
): { readonly next: unknown; readonly found: ReturnType<PlainLoss>; readonly rows: number } {
  const { input, target, reset, mask, noise } = step;
  const all = Array.from({ length: batch }, (_, row) => row);
  if (reset === undefined && mask === undefined) {
    const [output, next] = runStep(model, params, input, state, noise?.(all));
    return { next, found: loss(output, target), rows: batch };
  }
  const before = reset === undefined ? state : resetRows(model, params, reset, state, mistake);
  const isIn = (row: number) => mask === undefined || mask.toTypedArray()[row] === 1;
  const present = all.filter(isIn);
  const runs = mistake === "masked state goes on" || mistake === "masked losses" ? all : present;
  const rest = mistake === "state times mask" ? tree.map(before, (x: Tensor) => x.mul(0)) : before;
  if (runs.length === 0) return { next: rest, found: null, rows: 0 };
  const [output, next] = runStep(
    model,
    params,
    rowsOf(input, runs),
    rowsOf(before, runs),
    noise?.(runs),
  );
  const moves = mistake === "masked state goes on" ? all : present;
  const after = all.map((row) =>
    moves.includes(row) ? rowsOf(next, [runs.indexOf(row)]) : rowsOf(rest, [row]),
  );
  const counted = mistake === "masked losses" ? all : present;
  // Rows of the batch that ran.
  const own = () => (runs === counted ? output : rowsOf(output, counted));
  const found = counted.length === 0 ? null : loss(own(), rowsOf(target, counted));
  return { next: joined(after), found, rows: counted.length };
}

function resetRows(
  model: PlainCell,
  params: unknown,
  reset: Tensor,
  state: unknown,
  mistake: MarkMistake | undefined,
): unknown {
  if (mistake === "resets ignored") return state;
  const marks = reset.toTypedArray();
  const learned = model.initial?.(params, marks.length);
  const fresh = learned ?? initialState({ state: model.state }, marks.length, { dtype: "float64" });
  const isConstant = mistake === "initial state constant";
  const rows = Array.from(marks, (mark, row) => {
    const [own, other] = [rowsOf(state, [row]), rowsOf(fresh, [row])];
    if (mark !== 1) return own;
    if (isConstant) return tree.map(other, (x: Tensor) => detach(x));
    if (mistake !== "reset keeps the gradient") return other;
    // The value of the new row, with the derivative of the old one.
    return tree.zip(own, other, (x, y) => (x.dtype === "int32" ? y : x.add(detach(y.sub(x)))));
  });
  return joined(rows);
}

/** These rows of every tensor that has rows. */
function rowsOf<T>(values: T, rows: readonly number[]): T {
  return tree.map(values, (x: Tensor) => {
    if (x.rank === 0 || (rows.length === x.shape[0] && rows.every((row, i) => row === i))) return x;
    return concat(rows.map((row) => x.slice([[row, row + 1]])));
  }) as T;
}

/** Batches one below the other. */
function joined(batches: readonly unknown[]): unknown {
  const columns = batches.map((batch) => new Map(tree.leavesWithPath(batch)));
  return tree.map(batches[0], (x: Tensor, path) =>
    x.rank === 0 ? x : concat(columns.map((column) => column.get(path)!)),
  );
}

/**
 * The noise of each step, drawn from a copy of a generator in the order of time, of the tree and of
 * rows: anew at every step, or at the first of a window's new steps, the burn-in being one window.
 */
export function noiseOf(
  spec: unknown,
  random: Rng,
  count: number,
  batch: number,
  { k1, burnIn }: { readonly k1: number; readonly burnIn: number },
): NoiseOfRows[] {
  const own = rngFrom(random.getState());
  const isNoise = (value: unknown): value is Noise =>
    typeof (value as Noise | null)?.draw === "function";
  const leaves = tree.leavesWithPath(spec, isNoise);
  const kept = new Map<string, Float64Array[]>();
  return Array.from({ length: count }, (_, i) => {
    const isFirst = i === 0 || (i >= burnIn && (i - burnIn) % k1 === 0);
    for (const [path, { per, rows, draw }] of leaves) {
      if (per === "window" && !isFirst) continue;
      kept.set(
        path,
        Array.from({ length: rows ? batch : 1 }, () => draw(own)),
      );
    }
    const values = new Map(kept);
    return (chosen) =>
      tree.map(
        spec,
        ({ rows, shape }: Noise, path) => {
          const drawn = values.get(path)!;
          const numbers = rows ? chosen.flatMap((row) => [...drawn[row]!]) : [...drawn[0]!];
          return tensor(Float64Array.from(numbers), {
            shape: rows ? [chosen.length, ...shape] : shape,
          });
        },
        isNoise,
      );
  });
}
