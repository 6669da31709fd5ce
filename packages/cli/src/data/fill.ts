import { UsageError } from "../command/errors.ts";

/**
 * What becomes of missing values: `"refuse"` them, `"interpolate"` on a line between their
 * neighbours, or repeat the `"previous"` value, which uses nothing from later.
 */
export type Missing = "refuse" | "interpolate" | "previous";

/**
 * Values with the NaN among them filled. `where` names a position in a `UsageError`: nothing fills
 * what is before the first value, and only "previous" what is after the last.
 */
export function fill(
  values: Float64Array,
  missing: Missing,
  where: (index: number) => string,
): Float64Array {
  const filled = Float64Array.from(values);
  for (let i = 0; i < filled.length; i++) {
    if (!Number.isNaN(filled[i])) continue;
    if (i === 0) {
      throw new UsageError(`${where(i)}: nothing is before the missing value; leave the row out`);
    }
    let next = i;
    while (next < filled.length && Number.isNaN(filled[next])) next++;
    const before = filled[i - 1]!;
    if (missing === "previous") {
      filled.fill(before, i, next);
    } else if (next === filled.length) {
      throw new UsageError(
        `${where(i)}: nothing is after the missing value; leave the rows out, or fill with "previous"`,
      );
    } else {
      const slope = (filled[next]! - before) / (next - i + 1);
      for (let j = i; j < next; j++) filled[j] = before + slope * (j - i + 1);
    }
    i = next;
  }
  return filled;
}
