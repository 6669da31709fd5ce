import { concat } from "../ops/join.ts";
import { reshape } from "../ops/shape.ts";
import { backward } from "../passes/backward.ts";
import { forward } from "../passes/forward.ts";
import { slotOf } from "../tape/entry.ts";
import { Tape } from "../tape.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { format } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { MapTree } from "../tensor/tree.ts";
import { pushForward, tangentsBySlot } from "./forward.ts";
import { grad, gradientOf } from "./reverse.ts";

/**
 * The Hessian of a scalar function times a vector, at the cost of a few evaluations: backward,
 * recorded, then forward (Pearlmutter 1994).
 *
 * @throws when `f` does not return a scalar, or `v` has not the structure, shapes and dtypes of `x`
 *
 * @example
 * ```ts
 * import { hvp, tensor } from "@chronograd/autodiff";
 *
 * const v = tensor([1, 10]);
 * hvp((x) => x.pow(3).sum(), tensor([1, 2]), v).toArray(); // => [6, 120]
 * ```
 */
export function hvp<T>(
  f: (x: MapTree<T, Tensor>) => Tensor,
  x: T,
  v: MapTree<T, Tensor>,
): MapTree<T, Tensor> {
  return scope(() => {
    const tape = new Tape();
    const watched = tape.watch(x);
    const tangents = tangentsBySlot(watched, v, "hvp");
    const gradient = gradientOf(tape, f(watched), watched, { record: true });
    return pushForward(tape, tangents, gradient) as MapTree<T, Tensor>;
  });
}

/** A tensor of zeros with a 1 at one position. */
function unit(like: Tensor, position: number): Tensor {
  const data = new Float64Array(like.size);
  data[position] = 1;
  return tensor(data, { shape: like.shape, dtype: like.dtype, backend: like.backend });
}

/**
 * All partial derivatives of `f` at `x`: shape `[...y.shape, ...x.shape]`. Sweeps backward once per
 * element of `y`, or forward once per element of `x`, whichever is less.
 *
 * @param f takes one tensor to one tensor
 *
 * @example
 * ```ts
 * import { jacobian, tensor } from "@chronograd/autodiff";
 *
 * jacobian((x) => x.square(), tensor([1, 2])).toArray(); // => [[2, 0], [0, 4]]
 * ```
 *
 * @example
 * ```ts
 * import { jacobian, tensor } from "@chronograd/autodiff";
 *
 * const W = tensor([[1, 2], [3, 4], [5, 6]]);
 * const J = jacobian((x) => x.matmul(W), tensor([1, 1, 1]));
 * J.toArray(); // => [[1, 3, 5], [2, 4, 6]]
 * ```
 */
export function jacobian(f: (x: Tensor) => Tensor, x: Tensor): Tensor {
  return scope(() => {
    const tape = new Tape();
    const watched = tape.watch(x) as Tensor;
    const y = f(watched);
    const shape = [...y.shape, ...x.shape];
    if (y.tape !== tape || x.size === 0 || y.size === 0) {
      return zeros(shape, { dtype: x.dtype, backend: x.backend });
    }
    if (y.size <= x.size) {
      const rows = Array.from({ length: y.size }, (_, i) => {
        const [row] = backward(tape, [[y, unit(y, i)]], [watched]);
        return reshape(row ?? zeros(x.shape, { dtype: x.dtype, backend: x.backend }), [1, x.size]);
      });
      return reshape(concat(rows), shape);
    }
    const columns = Array.from({ length: x.size }, (_, i) => {
      const [column] = forward(tape, new Map([[slotOf(watched.id), unit(x, i)]]), [y]);
      return reshape(column ?? zeros(y.shape, { dtype: y.dtype, backend: y.backend }), [y.size, 1]);
    });
    return reshape(concat(columns, 1), shape);
  });
}

/**
 * All second partial derivatives of a scalar function: shape `[...x.shape, ...x.shape]`.
 *
 * @throws when `f` does not return a scalar
 *
 * @example
 * ```ts
 * import { hessian, tensor } from "@chronograd/autodiff";
 *
 * hessian((x) => x.prod(), tensor([2, 3])).toArray(); // => [[0, 1], [1, 0]]
 * ```
 */
export function hessian(f: (x: Tensor) => Tensor, x: Tensor): Tensor {
  return jacobian((z) => {
    const gradient = grad(f)(z);
    if (gradient.size !== x.size)
      throw new RangeError(`hessian: expected a gradient of shape ${format(x.shape)}`);
    return gradient;
  }, x);
}
