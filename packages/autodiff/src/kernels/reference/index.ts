import type { FloatKernels, Kernels } from "../contract.ts";
import { referenceGates } from "../gates.ts";
import { referenceInt32 } from "../int32.ts";
import { referenceProducts } from "../matmul.ts";
import type { Memory } from "../memory.ts";
import {
  referenceCasts,
  referenceFirstOutOfRange,
  referenceIndexed,
  referenceMoves,
} from "../move.ts";
import { referenceNormalization } from "../normalization.ts";
import { referenceRecurrence } from "../recurrence.ts";
import { referenceReductions } from "../reduce.ts";
import { referenceRows } from "../rows.ts";
import { referenceUpdates } from "../update.ts";
import { referenceWindows } from "../window.ts";
import { elementwise } from "./elementwise.ts";

function floatKernels(memory: Memory, dtype: "float32" | "float64"): FloatKernels {
  return {
    ...elementwise(memory, dtype),
    ...referenceReductions(memory, dtype),
    ...referenceIndexed(memory, dtype),
    ...referenceRows(memory, dtype),
    ...referenceProducts(memory, dtype),
    ...referenceGates(memory, dtype),
    ...referenceRecurrence(memory, dtype),
    ...referenceNormalization(memory, dtype),
    ...referenceUpdates(memory, dtype),
    ...referenceWindows(memory, dtype),
  };
}

/** Kernels that define what is right: float64 arithmetic in plain loops, rounded when stored. */
export function referenceKernels(memory: Memory): Kernels {
  return {
    name: "reference",
    float32: floatKernels(memory, "float32"),
    float64: floatKernels(memory, "float64"),
    int32: referenceInt32(memory),
    move32: referenceMoves(memory, "int32"),
    move64: referenceMoves(memory, "float64"),
    cast: referenceCasts(memory),
    firstOutOfRange: referenceFirstOutOfRange(memory),
  };
}
