type Kind = readonly [isRight: (value: unknown) => boolean, expected: string];

const among = (...values: readonly unknown[]): Kind => [
  (value) => values.includes(value),
  values.map((value) => JSON.stringify(value)).join(" or "),
];
const count: Kind = [
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  "a whole number of at least 1",
];
const size: Kind = [
  (value) => Number.isFinite(value) && (value as number) > 0,
  "a positive finite number",
];

/** By name, the same in every check. */
const kinds: Readonly<Record<string, Kind>> = {
  runs: count,
  directions: count,
  seed: [Number.isSafeInteger, "a whole number"],
  tolerance: size,
  float32: size,
  step: [
    (value) => Number.isFinite(value) && (value as number) > 0 && (value as number) <= 0.1,
    "a number above 0 and at most 0.1, relative to |x|",
  ],
  mode: among("full", "directions"),
  order: among(1, 2),
  dtype: among("float64", "float32"),
};

/**
 * Throws a sentence for settings with which a check would compare nothing, or let everything pass:
 * `runs`, `directions`, `seed`, `tolerance`, `float32`, `step`, `mode`, `order` and `dtype`, where
 * they are given.
 *
 * @param where the function that was called
 *
 * @example
 * ```ts
 * import { checkSettings } from "@chronograd/autodiff/testing";
 *
 * let said = "";
 * try {
 *   checkSettings("testCell", { runs: 0 });
 * } catch (error) {
 *   said = (error as Error).message;
 * }
 * said; // => "testCell: runs must be a whole number of at least 1, got 0"
 * ```
 */
export function checkSettings(where: string, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined || value === undefined || kind[0](value)) continue;
    const got = typeof value === "string" ? JSON.stringify(value) : String(value);
    throw new RangeError(`${where}: ${name} must be ${kind[1]}, got ${got}`);
  }
}
