import { eye, scope, type Tensor } from "@chronograd/autodiff";
import { solvePositive } from "./cholesky.ts";

import { dot, lengthOf } from "./orthonormal.ts";
import type { Step } from "./rowSpectra.ts";

/** A state that a search has come to: `q = |F(h) - h|^2 / 2`. */
export interface Slowest {
  h: Float64Array;
  q: number;
}

/** A search on its way: a state with the terms of its next step. */
interface Search extends Slowest {
  /** `(J - I)' (J - I)`, of which `damping` is added to the diagonal. */
  normal: Float64Array;
  /** `(J - I)' (F(h) - h)`, the gradient of q. */
  gradient: Float64Array;
  damping: number;
  /** By which the damping grows after the next step that is not taken. */
  growth: number;
  isMoved: boolean;
  isDone: boolean;
}

/** One step of the cell for a batch of states, as many as are given. */
export type StepOf = (states: readonly Float64Array[]) => Step;

const mostDamping = 1e12;

/**
 * Minimises `q = |F(h) - h|^2 / 2` from many states at once, by the method of Levenberg (1944) and
 * Marquardt (1963): steps `-(A'A + d I)^-1 A'r` of the residual `r = F(h) - h` and its Jacobian
 * `A = J - I`, with the damping d of Nielsen (Madsen, Nielsen & Tingleff 2004): less after a step
 * that lessens q as predicted, more after one that does not. With little damping it is the method
 * of Newton, which converges quadratically to fixed points, stable or not.
 */
export function slowestStates(
  stepOf: StepOf,
  starts: readonly Float64Array[],
  steps: number,
): readonly Slowest[] {
  const first = residuals(stepOf, starts);
  const searches: Search[] = starts.map((h, i) => ({
    h,
    q: first[i]!,
    normal: new Float64Array(),
    gradient: new Float64Array(),
    damping: 0,
    growth: 2,
    isMoved: true,
    isDone: false,
  }));
  for (let k = 0; k < steps; k++) {
    const active = searches.filter(({ isDone }) => !isDone);
    if (active.length === 0) break;
    linearise(
      stepOf,
      active.filter(({ isMoved }) => isMoved),
    );
    const tried = active.map(tryStep);
    const found = residuals(stepOf, tried);
    for (const [i, search] of active.entries()) judge(search, tried[i]!, found[i]!);
  }
  return searches;
}

/** q of each state. */
function residuals(stepOf: StepOf, states: readonly Float64Array[]): number[] {
  return scope(() => {
    const transition = stepOf(states);
    const { before } = transition;
    const distances = transition.after(before).sub(before).cast("float64");
    return Array.from(distances.square().sum(1).toTypedArray(), (sum) => sum / 2);
  });
}

/** Makes the terms of the next step, after a step was taken. */
function linearise(stepOf: StepOf, searches: readonly Search[]): void {
  if (searches.length === 0) return;
  const H = searches[0]!.h.length;
  scope(() => {
    const transition = stepOf(searches.map(({ h }) => h));
    const { before } = transition;
    const S = searches.length;
    const residual = transition.after(before).sub(before).cast("float64");
    const jacobian = transition.jacobian().cast("float64");
    const transposed: Tensor = jacobian
      .sub(eye(H, H, { dtype: "float64", backend: before.backend }))
      .transpose([0, 2, 1]);
    const normals = transposed.matmul(transposed.transpose([0, 2, 1])).toTypedArray();
    const gradients = transposed.matmul(residual.reshape([S, H, 1])).toTypedArray();
    for (const [i, search] of searches.entries()) {
      search.normal = Float64Array.from(normals.subarray(i * H * H, (i + 1) * H * H));
      search.gradient = Float64Array.from(gradients.subarray(i * H, (i + 1) * H));
      search.isMoved = false;
      if (search.damping > 0) continue;
      let largest = 0;
      for (let j = 0; j < H; j++) largest = Math.max(largest, search.normal[j * H + j]!);
      search.damping = 1e-3 * (largest || 1);
    }
  });
}

/** The state after a step with the damping of now. */
function tryStep({ h, normal, gradient, damping }: Search): Float64Array {
  const H = h.length;
  const rows = Array.from({ length: H }, (_, i) => normal.slice(i * H, (i + 1) * H));
  for (const [i, row] of rows.entries()) row[i]! += damping;
  const step = solvePositive(rows, gradient);
  return h.map((x, i) => x - step[i]!);
}

/** Takes a step that lessens q, and ends a search that comes no further. */
function judge(search: Search, tried: Float64Array, q: number): void {
  const { h, damping, gradient } = search;
  if (!(q < search.q)) {
    search.damping = Math.max(damping, 1e-16) * search.growth;
    search.growth *= 2;
    search.isDone = search.damping > mostDamping || search.q === 0;
    return;
  }
  const step = tried.map((x, i) => x - h[i]!);
  const predicted = (damping * dot(step, step) - dot(step, gradient)) / 2;
  const gain = (search.q - q) / predicted;
  search.isDone = lengthOf(step) <= 2 ** -50 * (1 + lengthOf(h));
  search.h = tried;
  search.q = q;
  search.damping = damping * Math.max(1 / 3, 1 - (2 * gain - 1) ** 3);
  search.growth = 2;
  search.isMoved = true;
}
