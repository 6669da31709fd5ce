import { compile } from "../../compile/compile.ts";
import { Tape } from "../../tape.ts";
import { tensor } from "../../tensor/create.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { leaves, type MapTree, map } from "../../tensor/tree.ts";
import { randomVector } from "../function.ts";
import type { Law } from "../law.ts";
import { type Case, compare, type LawOptions, lawOf, rounding, worse } from "./case.ts";

/**
 * A function and its gradient, compiled, are what they are: at the inputs that were traced, and at
 * others.
 */
export function compiledLaw<T>(
  cases: readonly Case<T>[],
  { dtype = "float64" }: LawOptions = {},
): Law {
  const head = {
    name: "compiled",
    statement:
      "compile(f) gives the values and gradients of f, for the inputs it was recorded with and for others",
    bound: rounding(dtype, 1e-12, 1e-5),
  };
  return lawOf(cases, head, (c, seed) =>
    scope(() => {
      /** Values, and the gradient for a random cotangent. */
      const both = (inputs: MapTree<T, Tensor>, cotangents: readonly Tensor[]): Tensor[] => {
        const tape = new Tape();
        const watched = tape.watch(inputs) as MapTree<T, Tensor>;
        const outputs = leaves(c.f(watched)).filter((y) => isFloat(y.dtype));
        const tracked = outputs.flatMap((y, k) => (tape.tracks(y) ? [k] : []));
        const gradient = tape.gradient(
          tracked.map((k) => outputs[k]!),
          watched,
          { cotangent: tracked.map((k) => cotangents[k]!) },
        );
        const floats = leaves(gradient).filter((g) => isFloat(g.dtype));
        return [...outputs.map((y) => tape.strip(y)), ...floats];
      };
      const inputs = c.draw(seed, dtype) as MapTree<T, Tensor>;
      const outputs = leaves(c.f(inputs)).filter((y) => isFloat(y.dtype));
      const cotangents = outputs.map(({ shape, size, dtype: type, backend }, k) =>
        tensor(randomVector(size, seed + k), { shape, dtype: type, backend }),
      );
      const fast = compile(both);
      return [inputs, map(c.draw(seed + 1, dtype), (x: Tensor) => x) as MapTree<T, Tensor>]
        .map((given) => {
          const [found, expected] = [fast(given, cotangents), both(given, cotangents)];
          return expected
            .map((x, k) => {
              const where = (i: number) => `number ${i} of tensor ${k}, of values, then gradients`;
              return compare(found[k]!.toTypedArray(), x.toTypedArray(), where);
            })
            .reduce(worse);
        })
        .reduce(worse);
    }),
  );
}
