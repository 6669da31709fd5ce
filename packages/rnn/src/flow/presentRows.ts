import type { Prepared } from "../sequences/prepare.ts";

/** The rows that have a step. */
export function presentRows({ mask }: Prepared, rows: number): number[] {
  const all = Array.from({ length: rows }, (_, row) => row);
  if (mask === undefined) return all;
  const marks = mask.toTypedArray();
  return all.filter((row) => marks[row] === 1);
}
