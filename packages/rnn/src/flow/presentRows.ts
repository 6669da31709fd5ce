import type { Prepared } from "../sequences/prepare.ts";

/** The rows that have a step. */
export function presentRows({ mask }: Prepared, rows: number): number[] {
  const all = Array.from({ length: rows }, (_, row) => row);
  if (mask === undefined) return all;
  const marks = mask.toTypedArray();
  return all.filter((row) => marks[row] === 1);
}

/** Throws a sentence where no row has a step, so that there is nothing to look at. */
export function checkPresent(
  where: string,
  trajectory: readonly { readonly step: Prepared }[],
  rows: number,
): void {
  if (trajectory.some(({ step }) => presentRows(step, rows).length > 0)) return;
  throw new RangeError(
    `${where}: no row has a step, each is masked, so there is nothing to look at; give a stretch with such steps`,
  );
}
