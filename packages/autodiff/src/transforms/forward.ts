import { forward } from "../passes/forward.ts";
import { slotOf } from "../tape/entry.ts";
import { Tape } from "../tape.ts";
import { zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { format, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leavesWithPath, type MapTree, map, zip } from "../tensor/tree.ts";

/** Tangents by leaf slot, from a tree beside the watched one. */
export function tangentsBySlot(
  watched: unknown,
  tangent: unknown,
  where: string,
): Map<number, Tensor> {
  const slots = new Map<number, Tensor>();
  zip(watched, tangent, (x, dx, path) => {
    if (!sameShape(x.shape, dx.shape) || x.dtype !== dx.dtype) {
      throw new TypeError(
        `${where}: the tangent at ${path === "" ? "its root" : `"${path}"`} must be ${x.dtype} ${format(x.shape)} like the value, got ${dx.dtype} ${format(dx.shape)}`,
      );
    }
    if (x.dtype !== "int32") slots.set(slotOf(x.id), dx);
    return dx;
  });
  return slots;
}

/** A forward sweep over a tree of outputs, zeros where they do not vary. */
export function pushForward<T>(
  tape: Tape,
  tangents: ReadonlyMap<number, Tensor>,
  outputs: T,
): MapTree<T, Tensor> {
  const list = leavesWithPath(outputs);
  const own = list.filter(([, y]) => y.tape === tape);
  const found = forward(
    tape,
    tangents,
    own.map(([, y]) => y),
  );
  const byPath = new Map(own.map(([path], i) => [path, found[i]]));
  return map(
    outputs,
    (y: Tensor, path) => byPath.get(path) ?? zeros(y.shape, { dtype: y.dtype, backend: y.backend }),
  );
}

/**
 * The value of `f` at `x` and its derivative in the direction `dx`, by forward mode.
 *
 * @param f takes a tree of tensors to a tree of tensors
 * @throws when `dx` has not the structure, shapes and dtypes of `x`
 *
 * @example
 * ```ts
 * import { jvp, tensor } from "@chronograd/autodiff";
 *
 * const [y, dy] = jvp((x) => x.square(), tensor([1, 2]), tensor([1, 10]));
 * [y.toArray(), dy.toArray()]; // => [[1, 4], [2, 40]]
 * ```
 */
export function jvp<T, Y>(
  f: (x: MapTree<T, Tensor>) => Y,
  x: T,
  dx: MapTree<T, Tensor>,
): [value: MapTree<Y, Tensor>, tangent: MapTree<Y, Tensor>] {
  return scope(() => {
    const tape = new Tape();
    const watched = tape.watch(x);
    const tangents = tangentsBySlot(watched, dx, "jvp");
    const value = f(watched);
    const tangent = pushForward(tape, tangents, value);
    return [map(value, (y: Tensor) => tape.strip(y)), tangent];
  });
}
