import { shown } from "../checks.ts";

/**
 * Throws a sentence unless lists have one length, at least 1, and hold numbers; infinity is one,
 * NaN is none. Returns the length. @internal
 */
export function sameLength(
  lists: Readonly<Record<string, ArrayLike<number>>>,
  where: string,
): number {
  const names = Object.keys(lists);
  const lengths = Object.values(lists).map((list) => list?.length);
  const count = lengths[0];
  if (!(count !== undefined && count > 0) || lengths.some((length) => length !== count)) {
    throw new RangeError(
      `${where}: ${names.join(", ")} must have one length of at least 1, got ${lengths.map(shown).join(", ")}`,
    );
  }
  for (const [name, list] of Object.entries(lists)) {
    for (let i = 0; i < count; i++) {
      const value = list[i];
      if (typeof value === "number" && !Number.isNaN(value)) continue;
      throw new TypeError(
        `${where}: ${name} must be numbers, got ${shown(value)} at index ${i}; leave out what is missing, in all lists`,
      );
    }
  }
  return count;
}
