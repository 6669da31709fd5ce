import { grad, jacobian, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { paramsTree, paramsVector, rowsTree, rowsVector } from "../../src/derivatives/vectors.ts";
import { loss, type Problem, rows } from "./setup.ts";

const numbers = (x: Tensor) => x.toTypedArray() as Float64Array;

/** Derivatives of a step by all elements, without the code under test. */
function derivatives({ cell, params }: Problem, input: unknown, target: Tensor, state: unknown) {
  return scope(() => {
    const [theta, before] = [paramsVector(params), rowsVector(state)];
    const step = (weights: Tensor, h: Tensor) =>
      cell.step(paramsTree(weights, params) as never, input, rowsTree(h, state) as never);
    const after = (weights: Tensor, h: Tensor) => rowsVector(step(weights, h)[1]);
    const total = (both: { weights: Tensor; h: Tensor }) =>
      loss(step(both.weights, both.h)[0], target).sum();
    const direct = grad(total)({ weights: theta, h: before });
    return {
      H: before.shape[1]!,
      P: theta.size,
      next: numbers(after(theta, before)),
      I: numbers(jacobian((weights) => after(weights, before), theta)),
      J: numbers(jacobian((h) => after(theta, h), before)),
      direct: numbers(direct.weights),
      lambda: numbers(direct.h),
    };
  });
}

/**
 * The gradient that S gives of which a parameter's elements count only where it moves them within
 * `order` steps: by the definition, element by element.
 */
export function maskedGradient(problem: Problem, order: number): Float64Array {
  let S: Float64Array | undefined;
  let keep: boolean[] = [];
  let state = problem.state;
  let total: Float64Array | undefined;
  for (const { input, target } of problem.stream) {
    const { H, P, next, I, J, direct, lambda } = derivatives(problem, input, target, state);
    const jacobian = (b: number, i: number, k: number) => J[((b * H + i) * rows + b) * H + k]!;
    const all = Array.from({ length: rows }, (_, b) => b);
    S ??= new Float64Array(rows * H * P);
    if (keep.length === 0) {
      const one = Array.from({ length: H * P }, (_, e) => all.some((b) => I[b * H * P + e] !== 0));
      keep = one;
      for (let n = 1; n < order; n++) {
        keep = keep.map((kept, e) => {
          const [i, p] = [Math.floor(e / P), e % P];
          const through = (k: number) =>
            keep[k * P + p]! && all.some((b) => jacobian(b, i, k) !== 0);
          return kept || Array.from({ length: H }, (_, k) => k).some(through);
        });
      }
    }
    total ??= new Float64Array(P);
    for (let p = 0; p < P; p++) {
      total[p]! += direct[p]!;
      for (let e = 0; e < rows * H; e++) total[p]! += lambda[e]! * S[e * P + p]!;
    }
    const grown = new Float64Array(S.length);
    for (const b of all) {
      for (let e = 0; e < H * P; e++) {
        if (!keep[e]) continue;
        const [i, p] = [Math.floor(e / P), e % P];
        let sum = I[b * H * P + e]!;
        for (let k = 0; k < H; k++) sum += jacobian(b, i, k) * S[(b * H + k) * P + p]!;
        grown[b * H * P + e] = sum;
      }
    }
    S = grown;
    state = rowsTree(tensor(next, { shape: [rows, H] }), state);
  }
  return total!;
}
