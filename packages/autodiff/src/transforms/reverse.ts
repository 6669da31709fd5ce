import { describe } from "../ops/declare.ts";
import { type GradientOptions, Tape } from "../tape.ts";
import { scope } from "../tensor/scope.ts";
import { alias, place, Tensor } from "../tensor/tensor.ts";
import type { MapTree } from "../tensor/tree.ts";

/** A function with its gradient by the first argument. */
export type ValueAndGradient<T, Rest extends unknown[]> = (
  x: T,
  ...rest: Rest
) => [value: Tensor, gradient: MapTree<T, Tensor>];

/**
 * A function that returns the value of `f` and its gradient by the first argument, a tree of tensors.
 *
 * @param f returns a scalar
 * @throws when called, if `f` does not return a scalar
 *
 * @example
 * ```ts
 * import { tensor, valueAndGrad } from "@chronograd/autodiff";
 *
 * const [value, gradient] = valueAndGrad((x) => x.square().sum())(tensor([1, 2]));
 * [value.item(), gradient.toArray()]; // => [5, [2, 4]]
 * ```
 */
export function valueAndGrad<T = Tensor, Rest extends unknown[] = []>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => Tensor,
): ValueAndGradient<T, Rest> {
  if (typeof f !== "function") {
    throw new TypeError(`grad: expected a function of tensors, got ${describe(f)}`);
  }
  return (x, ...rest) =>
    scope(() => {
      const tape = new Tape();
      const watched = tape.watch(x);
      const value = f(watched, ...rest);
      const gradient = gradientOf(tape, value, watched) as MapTree<T, Tensor>;
      return [tape.strip(value), gradient];
    });
}

/**
 * The gradient of a scalar function by its first argument, a tree of tensors. It nests: `grad(grad(f))`.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 *
 * const third = grad((x) => grad((y) => grad((z) => z.pow(3))(y))(x));
 * third(tensor(2)).item(); // => 6
 * ```
 *
 * @example
 * ```ts
 * import { grad, type Tensor, tensor } from "@chronograd/autodiff";
 *
 * // Parameters are a tree; what follows them is not differentiated.
 * const params = { w: tensor(2), b: tensor(1) };
 * const loss = ({ w, b }: typeof params, x: Tensor) => w.mul(x).add(b).square();
 * const gradient = grad(loss)(params, tensor(3));
 * [gradient.w.item(), gradient.b.item()]; // => [42, 14]
 * ```
 */
export function grad<T = Tensor, Rest extends unknown[] = []>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => Tensor,
): (x: T, ...rest: Rest) => MapTree<T, Tensor> {
  const both = valueAndGrad<T, Rest>(f);
  return (x, ...rest) => scope(() => both(x, ...rest)[1]);
}

/**
 * The value of `f` at `x`, and the function that takes a cotangent of it to the cotangent of `x`. That function may
 * be called any number of times, as long as the scope around this call lasts.
 *
 * @example
 * ```ts
 * import { tensor, vjp } from "@chronograd/autodiff";
 *
 * const [y, pullback] = vjp((x) => x.square(), tensor([1, 2]));
 * [y.toArray(), pullback(tensor([1, 10])).toArray()]; // => [[1, 4], [2, 40]]
 * ```
 */
export function vjp<T>(
  f: (x: MapTree<T, Tensor>) => Tensor,
  x: T,
): [value: Tensor, pullback: (cotangent: Tensor) => MapTree<T, Tensor>] {
  const tape = new Tape();
  const watched = tape.watch(x);
  const value = f(watched);
  const pullback = (cotangent: Tensor) =>
    gradientOf(tape, value, watched, { cotangent }) as MapTree<T, Tensor>;
  const plain = tape.strip(value);
  // The value outlives the tape that the pullback keeps.
  return [plain.tape === null ? place(alias(plain, plain.shape)) : plain, pullback];
}

/** `tape.gradient`, but zeros for a function that does not depend on its argument at all. */
export function gradientOf<T>(
  tape: Tape,
  value: Tensor,
  watched: T,
  options: GradientOptions = {},
): MapTree<T, Tensor> {
  const isConstant = value instanceof Tensor && !tape.tracks(value);
  // No target: the sweep starts nowhere, and every gradient is zero.
  return tape.gradient(isConstant ? [] : value, watched, isConstant ? {} : options);
}
