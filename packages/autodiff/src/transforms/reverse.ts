import { describe } from "../ops/declare.ts";
import { type GradientOptions, Tape } from "../tape.ts";
import { checkOptions } from "../tensor/options.ts";
import { scope } from "../tensor/scope.ts";
import { alias, giveOwner, Tensor } from "../tensor/tensor.ts";
import { type MapTree, map } from "../tensor/tree.ts";

/** A function with its gradient by the first argument. */
export type ValueAndGradient<T, Rest extends unknown[], Value = Tensor> = (
  x: T,
  ...rest: Rest
) => [value: Value, gradient: MapTree<T, Tensor>];

/** What a function to differentiate returns besides its value. */
export interface AuxOptions {
  /** `f` returns `[value, aux]`; `aux`, any tree, is handed out as it is. False unless given. */
  readonly hasAux: true;
}

/**
 * A function that returns the value of `f` and its gradient by the first argument, a tree of
 * tensors.
 *
 * @param f returns a scalar; with `hasAux`, a pair of a scalar and a tree, and the function gives
 *   `[[value, aux], gradient]`
 * @throws when called, if `f` does not return that
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
  options?: undefined,
): ValueAndGradient<T, Rest>;
export function valueAndGrad<T = Tensor, Rest extends unknown[] = [], Aux = unknown>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => readonly [value: Tensor, aux: Aux],
  options: AuxOptions,
): ValueAndGradient<T, Rest, [value: Tensor, aux: Aux]>;
export function valueAndGrad<T, Rest extends unknown[]>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => Tensor | readonly [Tensor, unknown],
  options?: AuxOptions,
): ValueAndGradient<T, Rest, Tensor | [Tensor, unknown]> {
  return differentiated("valueAndGrad", f, options);
}

function differentiated<T, Rest extends unknown[]>(
  where: string,
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => Tensor | readonly [Tensor, unknown],
  options: AuxOptions | undefined,
): ValueAndGradient<T, Rest, Tensor | [Tensor, unknown]> {
  checkOptions(where, options, ["hasAux"]);
  if (typeof f !== "function") {
    throw new TypeError(`${where}: expected a function of tensors, got ${describe(f)}`);
  }
  const hasAux = options?.hasAux === true;
  return (x, ...rest) =>
    scope(() => {
      const tape = new Tape();
      const watched = tape.watch(x);
      const found = f(watched, ...rest);
      if (!hasAux) {
        const value = found as Tensor;
        const gradient = gradientOf(tape, value, watched) as MapTree<T, Tensor>;
        return [tape.strip(value), gradient];
      }
      if (!Array.isArray(found) || found.length !== 2) {
        throw new TypeError(
          `${where}: with hasAux the function must return [value, aux], got ${describe(found)}${Array.isArray(found) ? ` of ${found.length}` : ""}`,
        );
      }
      const [value, aux] = found as [Tensor, unknown];
      const gradient = gradientOf(tape, value, watched) as MapTree<T, Tensor>;
      return [[tape.strip(value), map(aux, (part: Tensor) => tape.strip(part))], gradient];
    });
}

/**
 * The gradient of a scalar function by its first argument, a tree of tensors. It nests:
 * `grad(grad(f))`.
 *
 * @param f returns a scalar; with `hasAux`, a pair of a scalar and a tree, and the function gives
 *   `[gradient, aux]`
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
 *
 * // What is wanted besides the gradient comes with it.
 * const withOutput = ({ w, b }: typeof params, x: Tensor) => {
 *   const y = w.mul(x).add(b);
 *   return [y.square(), { y }] as const;
 * };
 * const [, { y }] = grad(withOutput, { hasAux: true })(params, tensor(3));
 * y.item(); // => 7
 * ```
 */
export function grad<T = Tensor, Rest extends unknown[] = []>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => Tensor,
  options?: undefined,
): (x: T, ...rest: Rest) => MapTree<T, Tensor>;
export function grad<T = Tensor, Rest extends unknown[] = [], Aux = unknown>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => readonly [value: Tensor, aux: Aux],
  options: AuxOptions,
): (x: T, ...rest: Rest) => [gradient: MapTree<T, Tensor>, aux: Aux];
export function grad<T, Rest extends unknown[]>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => Tensor | readonly [Tensor, unknown],
  options?: AuxOptions,
): (x: T, ...rest: Rest) => MapTree<T, Tensor> | [MapTree<T, Tensor>, unknown] {
  const both = differentiated("grad", f, options);
  return (x, ...rest) =>
    scope(() => {
      const [value, gradient] = both(x, ...rest);
      return Array.isArray(value) ? [gradient, value[1]] : gradient;
    });
}

/**
 * The value of `f` at `x`, and the function that takes a cotangent of it to the cotangent of `x`.
 * That function may be called any number of times, as long as the scope around this call lasts.
 *
 * @throws when `f` does not return a tensor
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
  if (!(value instanceof Tensor)) {
    throw new TypeError(
      `vjp: the function must return a tensor, got ${describe(value)}; for several, give their list to tape.gradient with { cotangent }`,
    );
  }
  const pullback = (cotangent: Tensor) =>
    gradientOf(tape, value, watched, { cotangent }) as MapTree<T, Tensor>;
  const plain = tape.strip(value);
  // The value outlives the tape that the pullback keeps.
  return [plain.tape === null ? giveOwner(alias(plain, plain.shape)) : plain, pullback];
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
