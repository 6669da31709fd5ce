import { type BinaryKernel, binary, select } from "./elementwise.ts";
import type { Memory } from "./memory.ts";
import { indexedSignatures } from "./move.ts";
import { type ReduceKernel, reduce } from "./reduce.ts";
import { rowsSignatures } from "./rows.ts";
import { type KernelsOf, same } from "./signature.ts";

/**
 * Functions of two int32 values, which wrap at 2^31; `mod` by 0 is 0. Their places are the codes of
 * the SIMD kernel.
 */
// biome-ignore format: as many as fit in a line
export const int32BinaryNames = [
  "add", "sub", "mul", "maximum", "minimum", "mod", "less", "lessEqual", "greater", "greaterEqual",
  "equal", "notEqual",
] as const;
export type Int32BinaryName = (typeof int32BinaryNames)[number];

/** Reductions of int32; `sum` wraps. */
export const int32ReduceNames = ["sum", "max", "min"] as const;
export type Int32ReduceName = (typeof int32ReduceNames)[number];

/** The arithmetic of int32: what positions and labels are computed with. */
export const int32Signatures: Readonly<
  Record<Int32BinaryName, typeof binary> &
    Record<Int32ReduceName, typeof reduce> &
    Pick<typeof rowsSignatures, "cumsum"> &
    Pick<typeof indexedSignatures, "scatterAdd"> & {
      readonly select: typeof select;
      readonly fill: "n value y:out";
    }
> = {
  ...same(int32BinaryNames, binary),
  ...same(int32ReduceNames, reduce),
  select,
  cumsum: rowsSignatures.cumsum,
  scatterAdd: indexedSignatures.scatterAdd,
  fill: "n value y:out",
};
export type Int32Kernels = KernelsOf<typeof int32Signatures>;

/** The remainder with the sign of the divisor; `%` is exact. */
export function mod(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

type Combine = (a: number, b: number) => number;

/** Exact, or wrapped where it is stored. */
const functions: Readonly<Record<Int32BinaryName, Combine>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
  maximum: Math.max,
  minimum: Math.min,
  mod: (a, b) => (b === 0 ? 0 : mod(a, b)),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  greater: (a, b) => Number(a > b),
  greaterEqual: (a, b) => Number(a >= b),
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
};

const folds: Readonly<Record<Int32ReduceName, Combine>> = {
  sum: (a, b) => (a + b) | 0,
  max: Math.max,
  min: Math.min,
};

/** Arithmetic of int32 in plain loops. */
export function referenceInt32(memory: Memory): Int32Kernels {
  const at = (pointer: number, i: number) => memory.views.int32[pointer / 4 + i]!;
  const put = (pointer: number, i: number, value: number) => {
    memory.views.int32[pointer / 4 + i] = value;
  };
  const binary = (f: Combine): BinaryKernel => {
    return (rows, cols, a, aRow, aCol, b, bRow, bCol, y) => {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < cols; c++) {
          put(y, r * cols + c, f(at(a, r * aRow + c * aCol), at(b, r * bRow + c * bCol)));
        }
      }
    };
  };
  const fold = (f: Combine): ReduceKernel => {
    return (outer, length, inner, x, y) => {
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let total = length > 0 ? at(x, o * length * inner + i) : 0;
          for (let l = 1; l < length; l++) total = f(total, at(x, (o * length + l) * inner + i));
          put(y, o * inner + i, total);
        }
      }
    };
  };
  const each = <Name extends string, Kernel>(
    table: Readonly<Record<Name, Combine>>,
    kernel: (f: Combine) => Kernel,
  ) =>
    Object.fromEntries(
      Object.entries<Combine>(table).map(([name, f]) => [name, kernel(f)]),
    ) as Record<Name, Kernel>;
  return {
    ...each(functions, binary),
    ...each(folds, fold),
    select(rows, cols, condition, conditionRow, conditionCol, a, aRow, aCol, b, bRow, bCol, y) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < cols; c++) {
          const holds = at(condition, r * conditionRow + c * conditionCol) !== 0;
          put(y, r * cols + c, holds ? at(a, r * aRow + c * aCol) : at(b, r * bRow + c * bCol));
        }
      }
    },
    cumsum(outer, length, inner, reverse, x, y) {
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let total = 0;
          for (let step = 0; step < length; step++) {
            const l = reverse === 1 ? length - 1 - step : step;
            const index = (o * length + l) * inner + i;
            total = (total + at(x, index)) | 0;
            put(y, index, total);
          }
        }
      }
    },
    scatterAdd(n, inner, g, indices, y) {
      for (let i = 0; i < n * inner; i++) {
        const to = at(indices, Math.floor(i / inner)) * inner + (i % inner);
        put(y, to, at(y, to) + at(g, i));
      }
    },
    fill(n, value, y) {
      memory.views.int32.fill(value, y / 4, y / 4 + n);
    },
  };
}
