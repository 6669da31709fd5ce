import { tree } from "@chronograd/autodiff";
import { checkOptions, nearestOf } from "@chronograd/autodiff/internal";
import { type Initializer, isInitializer } from "@chronograd/nn";
import { checkChoice } from "./checkChoice.ts";
import { textOf } from "./checkDefinition.ts";
import { missingError, missingSizes } from "./missingSizes.ts";

/** What makes the parameters and the state of a cell from its sizes. */
interface Parts<Sizes, Params, State> {
  readonly sizes?: readonly string[];
  readonly choices?: object;
  readonly numbers?: object;
  params(sizes: Sizes): Params;
  state(sizes: Sizes): State;
}

/**
 * The parameters and the state that sizes give, and the sizes as a frozen copy in which every
 * choice is made and every number given; throws a sentence for a size that is no whole number, has
 * a name that `sizes` does not list, or is missing, and for an option that is misspelt or none of
 * its choices.
 */
export function initializersOf<Sizes extends object, Params, State>(
  definition: Parts<Sizes, Params, State>,
  given: unknown,
  name: string,
): { readonly params: Params; readonly state: State; readonly sizes: Sizes } {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(
      `${name}: expected sizes by name, such as { input: 3, hidden: 5 }, got ${textOf(given)}`,
    );
  }
  const choices = Object.entries(definition.choices ?? {}) as [string, readonly string[]][];
  const numbers = Object.entries(definition.numbers ?? {});
  const options = [...choices, ...numbers].map(([option]) => option);
  const listed = definition.sizes && [...definition.sizes, ...options];
  if (listed !== undefined) checkOptions(name, given, listed);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const defaults = choices.map(([option, words]) => [option, words[0]]);
  const sizes = Object.freeze(Object.fromEntries([...defaults, ...numbers, ...entries])) as Sizes;
  for (const [option, words] of choices) {
    checkChoice(name, option, sizes[option as keyof Sizes], words);
  }
  for (const [option] of numbers) {
    const value: unknown = sizes[option as keyof Sizes];
    if (Number.isFinite(value)) continue;
    throw new RangeError(`${name}: ${option} must be a finite number, got ${textOf(value)}`);
  }
  const parts = (from: Sizes) => {
    const made = { params: definition.params(from), state: definition.state(from) };
    checkShapes(made, name);
    return made;
  };
  const isDeclared = listed !== undefined || options.length > 0;
  for (const [key, size] of entries) {
    if (options.includes(key)) continue;
    const nearest = typeof size === "string" ? nearestOf(key, options) : undefined;
    if (nearest !== undefined) {
      throw new TypeError(`${name}: there is no option "${key}", did you mean "${nearest}"?`);
    }
    const isOther = !isDeclared && typeof size !== "number" && typeof size !== "string";
    if (isOther || (Number.isInteger(size) && (size as number) >= 1)) continue;
    throw new RangeError(
      `${name}: size ${key} must be a whole number of at least 1, got ${textOf(size)}`,
    );
  }
  const names = entries.flatMap(([key]) => (options.includes(key) ? [] : [key]));
  // A size that only the step reads would be undefined there, and give NaN.
  const missing = definition.sizes?.filter((size) => !(size in sizes)) ?? [];
  if (missing.length > 0) throw missingError(name, missing, names);
  try {
    return { ...parts(sizes), sizes };
  } catch (cause) {
    throw missingSizes(sizes, name, names, parts, cause) ?? cause;
  }
}

/**
 * Custom initialisers may have any shape: an invalid length means an invalid size.
 */
function checkShapes(made: unknown, name: string): void {
  for (const [path, { shape }] of tree.leavesWithPath<Initializer>(made, isInitializer)) {
    const length = shape.find((each) => !Number.isInteger(each) || each < 0);
    if (length === undefined && !shape.includes(undefined as never)) continue;
    throw new RangeError(
      `${name}: the initialiser at ${JSON.stringify(path)} has a length of ${String(length)}, expected whole numbers of at least 0`,
    );
  }
}
