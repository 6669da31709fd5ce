import { scope, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { Transition } from "../derivatives/transition.ts";
import { floatsOf, paramsSize, rowsTree, rowsVector } from "../derivatives/vectors.ts";
import { type PreparedStep, type StepLoss, takeStep } from "../truncated/step.ts";
import { checkFinite } from "./lossAt.ts";
import type { TrajectoryStep } from "./trajectory.ts";

/** A model along a trajectory, with its losses. */
export interface Course<Params, State, X, Y, Target> {
  /** The public function, whose errors are said to be. */
  readonly where: string;
  readonly cell: Cell<Params, State, X, Y>;
  readonly params: Values<Params>;
  readonly loss: StepLoss<Y, Target>;
  readonly trajectory: readonly TrajectoryStep<State, X, Target>[];
}

/** Which losses are swept, and how far. */
export interface Sweep {
  /** Steps of a window: they end at its multiples, and at the last step. */
  readonly k1: number;
  /** Lengths of windows, ascending, each at least k1. */
  readonly k2s: readonly number[];
  /** Losses after this step, the end of a window or 0. */
  readonly from: number;
  /** Losses up to this step, the end of a window. */
  readonly to: number;
  /** Steps before the earliest that is reached; or with what weight each is reached. */
  readonly weightOf?: (t: number) => number;
}

/**
 * The gradient of some losses by all parameters, as one vector for each band of lags: band i is
 * what a window of `k2s[i]` steps reaches and one of `k2s[i - 1]` does not; the last is what none
 * reaches.
 */
export interface Bands {
  readonly vectors: readonly Float64Array[];
  /** How many steps had a loss. */
  readonly losses: number;
}

/** A sweep ends where nothing arrives that counts in float64, also if there are 1e14 such steps. */
const negligible = 1e-30;

const largest = (values: Float64Array) =>
  values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** The cotangent of the state for the losses of one window; or of all that no k2 reaches. */
interface Arriving {
  readonly end: number;
  lambda: Float64Array;
}

/**
 * Sweeps back through a trajectory once for all k2. A pullback is linear, so the parameters of a
 * step are pulled once for each band, with the sum over its windows; only the states are pulled
 * window by window. What no window reaches is one sum from there on.
 */
export function sweepBands<Params, State, X, Y, Target>(
  course: Course<Params, State, X, Y, Target>,
  { k1, k2s, from, to, weightOf = () => 1 }: Sweep,
): Bands {
  const { params, trajectory } = course;
  const size = paramsSize(params);
  const vectors = Array.from({ length: k2s.length + 1 }, () => new Float64Array(size));
  const most = k2s.at(-1)!;
  const bandOf = (end: number, t: number) => {
    const band = k2s.findIndex((k2) => end - t < k2);
    return band === -1 ? k2s.length : band;
  };
  let losses = 0;
  /** The largest cotangent of a state until now. */
  let seen = 0;
  let arriving: Arriving[] = [];
  for (let t = to; t >= 1; t--) {
    const weight = weightOf(t);
    if (weight === 0) break;
    const hasLoss = t > from;
    if (!hasLoss && arriving.every(({ lambda }) => largest(lambda) <= negligible * seen)) break;
    const { before } = trajectory[t - 1]!;
    const H = sizeOfState(before);
    if (hasLoss && (t === to || t % k1 === 0)) {
      arriving.push({ end: t, lambda: new Float64Array(H) });
    }
    arriving = mergedBeyond(arriving, t, most);
    losses += scope(() =>
      stepBack(
        course,
        trajectory[t - 1]!,
        arriving,
        hasLoss,
        (end) => bandOf(end, t),
        (band, g) => {
          const sum = vectors[band]!;
          for (let i = 0; i < size; i++) sum[i]! += weight * g[i]!;
        },
      ),
    );
    for (const { lambda } of arriving) seen = Math.max(seen, largest(lambda));
  }
  return { vectors, losses };
}

const sizeOfState = (state: unknown) => floatsOf(state).reduce((sum, x) => sum + x.size, 0);

/** Windows whose cut lies behind step `t` for every k2, as one. */
function mergedBeyond(arriving: Arriving[], t: number, most: number): Arriving[] {
  const beyond = arriving.filter(({ end }) => end - t >= most);
  if (beyond.length < 2) return arriving;
  const [first, ...others] = beyond as [Arriving, ...Arriving[]];
  for (const { lambda } of others) add(first.lambda, lambda);
  return [first, ...arriving.filter(({ end }) => end - t < most)];
}

function add(sum: Float64Array, part: ArrayLike<number>): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
}

/** Pulls all cotangents through one step; 1 if it had a loss. */
function stepBack<Params, State, X, Y, Target>(
  { where, cell, params, loss: lossOf }: Course<Params, State, X, Y, Target>,
  { t, step, before }: TrajectoryStep<State, X, Target>,
  arriving: readonly Arriving[],
  hasLoss: boolean,
  bandOf: (end: number) => number,
  give: (band: number, gradient: Float64Array) => void,
): number {
  const tape = new Tape();
  const by = { params: tape.watch(params), state: tape.watch(before) };
  const settings = { where, loss: hasLoss ? lossOf : () => null };
  const prepared = step as PreparedStep<X, Target>;
  const watched = by.params as Values<Params>;
  const state = by.state as Values<State>;
  const { next, loss } = takeStep(cell, settings, tape, watched, state, prepared, t);
  if (loss !== null) checkFinite(where, tape, loss, t);
  const like = rowsVector(before);
  const asTensor = (lambda: Float64Array, shape = like.shape) =>
    tensor(lambda, { shape, dtype: like.dtype as "float64", backend: like.backend });
  const pull = (lambda: Float64Array | undefined, ownLoss: Tensor | null) => {
    const targets: Tensor[] = [];
    const cotangents: Tensor[] = [];
    if (lambda !== undefined) {
      const parts = tree.leaves(rowsTree(asTensor(lambda), next));
      for (const [i, x] of tree.leaves(next).entries()) {
        if (x.dtype === "int32" || !tape.tracks(x)) continue;
        targets.push(x);
        cotangents.push(parts[i] as Tensor);
      }
    }
    if (ownLoss !== null) {
      targets.push(ownLoss);
      cotangents.push(ownLoss.detach().mul(0).add(1));
    }
    const gradient = tape.gradient(targets, by, { cotangent: cotangents });
    return { params: numbersOf(gradient.params), state: numbersOf([rowsVector(gradient.state)]) };
  };
  const bands = new Map<number, Arriving[]>();
  for (const each of arriving) {
    const band = bandOf(each.end);
    bands.set(band, [...(bands.get(band) ?? []), each]);
  }
  const together: Arriving[] = [];
  for (const [band, windows] of bands) {
    const lambda = new Float64Array(windows[0]!.lambda.length);
    for (const window of windows) add(lambda, window.lambda);
    const isAlone = windows.length === 1;
    const ownLoss = isAlone && band === 0 ? loss : null;
    const pulled = pull(lambda, ownLoss);
    give(band, pulled.params);
    if (isAlone) windows[0]!.lambda = pulled.state;
    else together.push(...windows);
  }
  if (together.length > 0) {
    const count = together.length;
    const stacked = new Float64Array(count * like.size);
    for (const [i, { lambda }] of together.entries()) stacked.set(lambda, i * like.size);
    const transition = new Transition(cell, params, prepared, before);
    const pulled = numbersOf([transition.pull(asTensor(stacked, [count, ...like.shape]))]);
    for (const [i, window] of together.entries()) {
      window.lambda = pulled.slice(i * like.size, (i + 1) * like.size);
    }
  }
  if (loss !== null && (bands.get(0)?.length ?? 0) > 1) {
    const pulled = pull(undefined, loss);
    give(0, pulled.params);
    add(newest(arriving).lambda, pulled.state);
  }
  return loss === null ? 0 : 1;
}

/** The window of the latest loss: that which ends first. */
function newest(arriving: readonly Arriving[]): Arriving {
  return arriving.reduce((a, b) => (b.end < a.end ? b : a));
}

function numbersOf(values: unknown): Float64Array {
  const parts = floatsOf(values);
  const numbers = new Float64Array(parts.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const x of parts) {
    numbers.set(x.toTypedArray(), at);
    at += x.size;
  }
  return numbers;
}
