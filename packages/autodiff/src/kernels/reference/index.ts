import type { FloatKernels, Kernels } from "../contract.ts";
import type { Memory } from "../memory.ts";
import { elementwise } from "./elementwise.ts";
import { gates } from "./gates.ts";
import { int32 } from "./int32.ts";
import { matmul } from "./matmul.ts";
import { casts, firstOutOfRange, moves, scans } from "./move.ts";
import { normalization } from "./normalization.ts";
import { reductions } from "./reduce.ts";
import { rowwise } from "./rows.ts";
import { updates } from "./update.ts";

function floatKernels(memory: Memory, dtype: "float32" | "float64"): FloatKernels {
  return {
    ...elementwise(memory, dtype),
    ...reductions(memory, dtype),
    ...rowwise(memory, dtype),
    ...scans(memory, dtype),
    ...matmul(memory, dtype),
    ...gates(memory, dtype),
    ...normalization(memory, dtype),
    ...updates(memory, dtype),
  };
}

/** Kernels that define what is right: float64 arithmetic in plain loops, rounded when stored. */
export function referenceKernels(memory: Memory): Kernels {
  return {
    name: "reference",
    float32: floatKernels(memory, "float32"),
    float64: floatKernels(memory, "float64"),
    int32: int32(memory),
    move32: moves(memory, "int32"),
    move64: moves(memory, "float64"),
    cast: casts(memory),
    firstOutOfRange: firstOutOfRange(memory),
  };
}
