import type { Marks } from "../sequences/marks.ts";

/** What becomes of a row at a step: it takes the step, begins afresh, or has none. */
export type RowCourse = "step" | "reset" | "masked";

/** The course of each of B rows; a row that is reset begins afresh, whether it is masked or not. */
export function coursesOf({ reset, mask }: Marks, rows: number): RowCourse[] {
  const resets = reset?.toTypedArray();
  const masks = mask?.toTypedArray();
  return Array.from({ length: rows }, (_, row) => {
    if (resets?.[row] === 1) return "reset";
    return masks?.[row] === 0 ? "masked" : "step";
  });
}
