import { type Tensor, tree } from "@chronograd/autodiff";
import { indexOf } from "../inspect/indexOf.ts";
import type { Item } from "./task.ts";

/**
 * Where an item of data has a number that is not finite: "NaN in its target at [3, 0]". Nothing is
 * said of an item that has a mask or lengths, since there it may stand for what is missing.
 */
export function nonFiniteIn(item: Item): string | undefined {
  if ("mask" in item || "lengths" in item) return undefined;
  for (const [path, x] of tree.leavesWithPath(item) as [string, Tensor][]) {
    if (x.dtype === "int32") continue;
    const values = x.toTypedArray();
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) return `${values[at]} in its ${path} at [${indexOf(at, x.shape).join(", ")}]`;
  }
  return undefined;
}
