import type { Backend } from "../../tensor/backend.ts";
import { tensor } from "../../tensor/create.ts";
import type { FloatDType } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { map } from "../../tensor/tree.ts";
import { Flattened, randomVector } from "../function.ts";
import type { Finding, Law } from "../law.ts";
import { type Case, compare, inputAt, lawOf, worse } from "./case.ts";

/** Which kernels to compare, and how close they must be. */
export interface KernelLawOptions {
  readonly dtype: FloatDType;
  /** Where the numbers come from that are right by definition. */
  readonly reference: Backend;
  readonly bound: number;
}

/** A case on another backend: the same numbers there. */
function on<T>(
  c: Case<T>,
  backend: Backend,
  change: (values: Float64Array) => void = () => {},
): Case<T> {
  return {
    ...c,
    draw: (seed, dtype) => {
      let start = 0;
      return map(c.draw(seed, dtype), (x: Tensor) => {
        const values = Float64Array.from(x.toTypedArray());
        const { shape } = x;
        if (x.dtype !== "int32") {
          const edged = new Float64Array(start + values.length);
          edged.set(values, start);
          change(edged);
          values.set(edged.subarray(start));
          start += values.length;
        }
        return tensor(values, { shape, dtype: x.dtype, backend });
      }) as T;
    },
  };
}

/** Values, gradients and tangents are those of the reference kernels. */
export function referenceLaw<T>(
  cases: readonly Case<T>[],
  { dtype, reference, bound }: KernelLawOptions,
): Law {
  const head = {
    name: dtype === "float64" ? "reference" : "float32",
    statement:
      dtype === "float64"
        ? "values, gradients and tangents are those of the reference kernels"
        : "values, gradients and tangents are those of float64, but for rounding",
    bound,
  };
  return lawOf(cases, head, (c, seed) =>
    scope(() => {
      const mine = new Flattened(c.f, c.draw(seed, dtype), c.label, dtype);
      // The same float32 numbers, computed with in float64: what is compared is the error of
      // computing.
      const exact = {
        ...on(c, reference),
        draw: (at: number) =>
          map(c.draw(at, dtype), (x: Tensor) => {
            const type = x.dtype === "int32" ? "int32" : "float64";
            return tensor(Float64Array.from(x.toTypedArray()), {
              shape: x.shape,
              dtype: type,
              backend: reference,
            });
          }) as T,
      };
      const theirs = new Flattened(exact.f, exact.draw(seed), c.label);
      const u = randomVector(mine.outputs, seed + 1).map(Math.fround);
      const v = randomVector(mine.x.length, seed + 2).map(Math.fround);
      let found = compare(mine.original(), theirs.original(), (i) => `value ${i}`, 1);
      found = worse(
        found,
        compare(
          mine.pulled((back) => back(u)),
          theirs.pulled((back) => back(u)),
          (i) => inputAt(mine, i),
          1,
        ),
      );
      const [dy, dz] = [mine.pushed(v), theirs.pushed(v)];
      if (dy === undefined || dz === undefined) return found;
      return worse(
        found,
        compare(dy, dz, (i) => `tangent ${i}`, 1),
      );
    }),
  );
}

/** Values that arithmetic treats in special ways. */
const edges: readonly number[] = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  Number.NaN,
  1e-310,
  -1e-40,
  1e30,
  -1e30,
  0.5,
  88.8,
  -750,
];

/** At edge values, one input element at a time, values are those of the reference kernels. */
export function edgeLaw<T>(
  cases: readonly Case<T>[],
  { dtype, reference, bound }: KernelLawOptions,
): Law {
  const head = {
    name: "edges",
    statement:
      "zeros of both signs, infinities, NaN, tiny and huge numbers give what the reference kernels give",
    bound,
  };
  return lawOf(cases, head, (c, seed) =>
    scope(() => {
      const home = backendOf(c.draw(seed, dtype));
      if (home === undefined) return undefined;
      const plain = new Flattened(c.f, c.draw(seed, dtype), c.label, dtype);
      if (plain.x.length === 0) return undefined;
      let found: Finding | undefined;
      for (const [k, edge] of edges.entries()) {
        const at = (seed + 7 * k) % plain.x.length;
        const set = (values: Float64Array) => {
          if (at < values.length) values[at] = edge;
        };
        const value = (backend: Backend) => {
          const moved = on(c, backend, set);
          return new Flattened(moved.f, moved.draw(seed, dtype), c.label, dtype).original();
        };
        const words = (i: number) =>
          `value ${i} with ${Object.is(edge, -0) ? "-0" : edge} at ${at}`;
        const [mine, theirs] = [value(home), value(reference)];
        found = worse(found, compare(mine, theirs, words, 1));
        // -0 and 0 are told apart: they are the ends of different branches.
        const signs = (x: Float64Array) => x.map((y) => (y === 0 ? 1 / y : 0));
        found = worse(
          found,
          compare(signs(mine), signs(theirs), (i) => `1 / (${words(i)})`, 1),
        );
      }
      return found;
    }),
  );
}

function backendOf(inputs: unknown): Backend | undefined {
  let backend: Backend | undefined;
  map(inputs, (x: Tensor) => {
    backend ??= x.backend;
  });
  return backend;
}
