import ndarray, { type NdArray } from "ndarray";
import { sum } from "ndarray-ops";
import type { Memory } from "../memory.ts";
import type { ArgReduceName, ReduceKernel, ReduceName } from "../reduce.ts";

type Row = NdArray<Float32Array | Float64Array>;

function maximum(row: Row): number {
  let greatest = -Infinity;
  for (let l = 0; l < row.size; l++) greatest = Math.max(greatest, row.get(l));
  return greatest;
}

function minimum(row: Row): number {
  let least = Infinity;
  for (let l = 0; l < row.size; l++) least = Math.min(least, row.get(l));
  return least;
}

function logSumExp(row: Row): number {
  const shift = maximum(row);
  if (!Number.isFinite(shift)) return shift;
  let total = 0;
  for (let l = 0; l < row.size; l++) total += Math.exp(row.get(l) - shift);
  return shift + Math.log(total);
}

/** The first position of `value`, NaN being equal to itself. */
function position(row: Row, value: number): number {
  for (let l = 0; l < row.size; l++) {
    const candidate = row.get(l);
    if (candidate === value || (Number.isNaN(value) && Number.isNaN(candidate))) return l;
  }
  return 0;
}

/** Reductions in float64 arithmetic, rounded once when stored. */
export function reductions(
  memory: Memory,
  dtype: "float32" | "float64",
): Readonly<Record<ReduceName | ArgReduceName, ReduceKernel>> {
  const kernel = (
    result: "float32" | "float64" | "int32",
    f: (row: Row) => number,
  ): ReduceKernel => {
    return (outer, length, inner, x, y) => {
      const from = memory.views[dtype];
      const to = memory.views[result];
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const start = x / from.BYTES_PER_ELEMENT + o * length * inner + i;
          const row = ndarray(from, [length], [inner], start);
          to[y / to.BYTES_PER_ELEMENT + o * inner + i] = f(row);
        }
      }
    };
  };
  return {
    sum: kernel(dtype, sum),
    max: kernel(dtype, maximum),
    min: kernel(dtype, minimum),
    logSumExp: kernel(dtype, logSumExp),
    argmax: kernel("int32", (row) => position(row, maximum(row))),
    argmin: kernel("int32", (row) => position(row, minimum(row))),
  };
}
