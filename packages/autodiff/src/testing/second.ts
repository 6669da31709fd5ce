import { tensor } from "../tensor/create.ts";
import { isFloat } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leaves, type MapTree } from "../tensor/tree.ts";
import { grad } from "../transforms/reverse.ts";
import { randomVector } from "./function.ts";

/** `<u, f(x)>` for fixed random `u`: a scalar that every output matters to. */
export function contracted<T>(
  f: (inputs: MapTree<T, Tensor>) => unknown,
  seed: number,
): (x: MapTree<T, Tensor>) => Tensor {
  return (x) => {
    let sum: Tensor | undefined;
    for (const [k, y] of leaves(f(x))
      .filter((y) => isFloat(y.dtype))
      .entries()) {
      const { shape, dtype, backend } = y;
      const part = y.mul(tensor(randomVector(y.size, seed + k), { shape, dtype, backend })).sum();
      sum = sum === undefined ? part : sum.add(part);
    }
    return sum!;
  };
}

/** The gradient of a random sum of all outputs, as a function of the inputs. */
export function gradientOf<T>(
  f: (inputs: MapTree<T, Tensor>) => unknown,
  seed: number,
): (x: MapTree<T, Tensor>) => Tensor[] {
  return (x) => {
    const gradient = grad(contracted(f, seed + 7) as never)(x as never);
    return leaves(gradient).filter((g) => isFloat(g.dtype));
  };
}
