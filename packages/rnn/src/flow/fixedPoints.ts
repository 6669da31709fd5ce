import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { rowsOf } from "../checkRows.ts";
import { checkState } from "../checkState.ts";
import { repeatedRows, treeRows } from "../derivatives/rows.ts";
import { Transition } from "../derivatives/transition.ts";
import { rowSize, rowsTree, rowsVector } from "../derivatives/vectors.ts";
import { checkBytes, checkCount } from "./checks.ts";
import { eigenvaluesOf } from "./dense.ts";
import { lengthOf } from "./orthonormal.ts";
import { type Complex, modulus } from "./schur.ts";
import { type Slowest, type StepOf, slowestStates } from "./slowestStates.ts";

/** What `fixedPoints` takes. */
export interface FixedPointOptions<State, X> {
  /** The input that stays: one row. */
  readonly input: X;
  /** Where the searches start: a state of S rows, such as those that a trained model visits. */
  readonly starts: Values<State>;
  /** The largest q of a fixed point; 1e-20, and 1e-10 in float32, unless given. */
  readonly tolerance?: number;
  /** The largest q of a slow point; 1e-5 unless given. */
  readonly slow?: number;
  /** Points nearer than that, relative to `1 + |h|`, are one; 1e-4 unless given. */
  readonly distance?: number;
  /** The most steps of a search; 200 unless given. */
  readonly steps?: number;
}

/** A state that the model stays at, or leaves slowly. */
export interface FixedPoint {
  readonly kind: "fixed" | "slow";
  /** The H components of the state, leaf by leaf. */
  readonly state: readonly number[];
  /** `|F(h) - h|^2 / 2`: how fast the model leaves it. */
  readonly q: number;
  /** How many searches ended here. */
  readonly found: number;
  /** All eigenvalues of the Jacobian there, the largest modulus first. */
  readonly eigenvalues: readonly Complex[];
  /** The largest modulus of an eigenvalue. */
  readonly radius: number;
  /** Whether states near to it come nearer: the radius is below 1. */
  readonly isStable: boolean;
  /** In how many directions the model moves away: eigenvalues of modulus above 1. */
  readonly unstable: number;
}

/** Fixed and slow points of a model under one input. */
export interface FixedPoints {
  /** H. */
  readonly size: number;
  /** Fixed points first, and among them those that most searches found. */
  readonly points: readonly FixedPoint[];
  /** How many searches were started. */
  readonly starts: number;
  /** How many of them ended at a state that is neither fixed nor slow. */
  readonly lost: number;
}

/**
 * The fixed points `h = F(h)` of a model under an input that stays, and the slow points near which
 * it lingers, each with the eigenvalues of its linearisation (Sussillo & Barak 2013).
 *
 * From each start it minimises `q = |F(h) - h|^2 / 2` by steps of Levenberg and Marquardt, which
 * find stable and unstable points alike, and more of them from more starts. A step costs about `H`
 * pulls and `2 H^3` multiplications a start: made for H up to some hundreds.
 *
 * @throws for an input of more than one row, starts that are not finite or not like the state,
 *   states with whole numbers, limits that are not positive, and an H whose Jacobian takes more
 *   than 1 GiB
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { init } from "@chronograd/nn";
 * import { defineCell } from "@chronograd/rnn";
 * import { fixedPoints } from "@chronograd/rnn/flow";
 *
 * const switching = defineCell({
 *   params: () => ({}),
 *   state: () => ({ h: init.zeros(1) }),
 *   step: (_params, x, { h }) => {
 *     const next = h.mul(2).add(x).tanh();
 *     return [next, { h: next }];
 *   },
 * })({ input: 1, hidden: 1 });
 * const { points } = fixedPoints(switching, {}, {
 *   input: tensor([[0]], { dtype: "float64" }),
 *   starts: { h: tensor([[-1], [0.1], [1]], { dtype: "float64" }) },
 * });
 * points.map(({ isStable }) => isStable).sort(); // => [false, true, true]
 * ```
 */
export function fixedPoints<Params, State, X>(
  cell: Cell<Params, State, X, unknown>,
  params: Values<Params>,
  options: FixedPointOptions<State, X>,
): FixedPoints {
  const where = "fixedPoints";
  const known = ["input", "starts", "tolerance", "slow", "distance", "steps"];
  checkOptions(where, options ?? null, known);
  checkCell(where, cell, "step", "its states are those of unroll");
  const { input, starts, slow = 1e-5, distance = 1e-4, steps = 200 } = options;
  checkCount(where, "steps", steps, 1);
  checkInput(where, input);
  checkFinite(where, "the input", input);
  checkFinite(where, "the parameter", params);
  const states = startsOf(where, cell, starts);
  const size = rowSize(starts);
  checkBytes(where, `a Jacobian [${size}, ${size}]`, 16 * size ** 2, "use a smaller state");
  const { dtype, backend } = rowsVector(starts);
  const { tolerance = dtype === "float64" ? 1e-20 : 1e-10 } = options;
  for (const [name, value] of Object.entries({ tolerance, slow, distance })) {
    if (value > 0 && value < Infinity) continue;
    throw new RangeError(`${where}: ${name} must be a positive number, got ${String(value)}`);
  }
  const stepOf: StepOf = (rows) => {
    const values = Float64Array.from({ length: rows.length * size }, (_, i) => {
      return rows[Math.floor(i / size)]![i % size]!;
    });
    const vectors = tensor(values, { shape: [rows.length, size], dtype, backend });
    const repeated = treeRows(input, repeatedRows(rows.length));
    const state = rowsTree(vectors, starts) as unknown as Values<State>;
    return new Transition(cell, params, { input: repeated }, state) as never;
  };
  checkStep(where, stepOf, states[0]!);
  /** Of 128 MiB for the Jacobians and what is made on the way to them. */
  const batch = Math.max(1, Math.floor(2 ** 20 / size ** 2));
  const found: Slowest[] = [];
  for (let from = 0; from < states.length; from += batch) {
    found.push(...slowestStates(stepOf, states.slice(from, from + batch), steps));
  }
  const kept = found.filter(({ q }) => q <= Math.max(tolerance, slow));
  const points = merged(kept, distance).map(({ h, q, found: searches }): FixedPoint => {
    const jacobian = scope(() => stepOf([h]).jacobian().toTypedArray());
    const rows = Array.from({ length: size }, (_, i) =>
      jacobian.subarray(i * size, (i + 1) * size),
    );
    const eigenvalues = eigenvaluesOf(rows);
    const radius = modulus(eigenvalues[0]!);
    return {
      kind: q <= tolerance ? "fixed" : "slow",
      state: Array.from(h),
      q,
      found: searches,
      eigenvalues,
      radius,
      isStable: radius < 1,
      unstable: eigenvalues.filter((value) => modulus(value) > 1).length,
    };
  });
  const isSlow = ({ kind }: FixedPoint) => Number(kind === "slow");
  points.sort((a, b) => isSlow(a) - isSlow(b) || b.found - a.found);
  return { size, points, starts: states.length, lost: found.length - kept.length };
}

function checkInput(where: string, input: unknown): void {
  const rows = rowsOf(input);
  if (rows === 1) return;
  const got =
    rows === undefined ? "nothing that has rows" : `${rows} rows; call it for each of them`;
  throw new RangeError(
    `${where}: the input must be tensors of one row, which stays and is the same for all starts, got ${got}`,
  );
}

/** Throws a sentence for a number that is not finite, which no search could come to terms with. */
function checkFinite(where: string, what: string, values: unknown): void {
  for (const [path, x] of tree.leavesWithPath<Tensor>(values)) {
    const wrong = x.toTypedArray().find((value) => !Number.isFinite(value));
    if (wrong === undefined) continue;
    throw new RangeError(
      `${where}: ${what}${path && ` "${path}"`} holds ${wrong}; give finite numbers`,
    );
  }
}

/** Throws what a step refuses of the input or the states, in the name of the function. */
function checkStep(where: string, stepOf: StepOf, h: Float64Array): void {
  try {
    scope(() => {
      const transition = stepOf([h]);
      transition.after(transition.before);
    });
  } catch (cause) {
    const Kind = cause instanceof RangeError ? RangeError : TypeError;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Kind(
      `${where}: the step with this input and these starts: ${text}; give those that the model runs with`,
      { cause },
    );
  }
}

/** The rows of the states to start from. */
function startsOf(
  where: string,
  cell: { readonly state: unknown },
  starts: unknown,
): Float64Array[] {
  checkState(`${where}: the starts`, starts, cell.state);
  for (const [path, x] of tree.leavesWithPath<Tensor>(starts)) {
    if (x.dtype !== "int32") continue;
    throw new TypeError(
      `${where}: the state${path && ` "${path}"`} is of whole numbers, along which nothing can be searched; give it a cell with a state of floats`,
    );
  }
  const vectors = rowsVector(starts);
  const [S, H] = vectors.shape as [number, number];
  if (S === 0) throw new RangeError(`${where}: starts has no rows; give one state at least`);
  const values = vectors.toTypedArray();
  return Array.from({ length: S }, (_, row) => {
    const h = Float64Array.from(values.subarray(row * H, (row + 1) * H));
    if (h.every(Number.isFinite)) return h;
    throw new RangeError(
      `${where}: row ${row} of starts is not finite; give states that a model can be in`,
    );
  });
}

/** One point for those that are near to each other, the slowest of them. */
function merged(
  points: readonly Slowest[],
  distance: number,
): (Slowest & { readonly found: number })[] {
  const kept: (Slowest & { found: number })[] = [];
  for (const point of points.toSorted((a, b) => a.q - b.q)) {
    const limit = distance * (1 + lengthOf(point.h));
    const near = kept.find(({ h }) => lengthOf(h.map((x, i) => x - point.h[i]!)) <= limit);
    if (near) near.found++;
    else kept.push({ ...point, found: 1 });
  }
  return kept;
}
