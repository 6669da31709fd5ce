import { tree } from "@chronograd/autodiff";
import { checkOptions, nearestOf } from "@chronograd/autodiff/internal";
import { type Initializer, isInitializer } from "@chronograd/nn";

/** What makes the parameters and the state of a cell from its sizes. */
interface Parts<Sizes, Params, State> {
  readonly sizes?: readonly string[];
  readonly choices?: object;
  params(sizes: Sizes): Params;
  state(sizes: Sizes): State;
}

/**
 * The parameters and the state that sizes give; throws a sentence for a size that is no whole
 * number, has a name that `sizes` does not list, or is missing, and for an option that is none of
 * its choices.
 */
export function initializersOf<Sizes, Params, State>(
  definition: Parts<Sizes, Params, State>,
  sizes: Sizes,
  name: string,
): { readonly params: Params; readonly state: State } {
  if (typeof sizes !== "object" || sizes === null) {
    throw new TypeError(
      `${name}: expected sizes by name, such as { input: 3, hidden: 5 }, got ${String(sizes)}`,
    );
  }
  const choices = Object.entries(definition.choices ?? {}) as [string, readonly string[]][];
  if (definition.sizes !== undefined) {
    checkOptions(name, sizes, [...definition.sizes, ...choices.map(([option]) => option)]);
  }
  for (const [option, words] of choices) {
    const chosen: unknown = (sizes as Record<string, unknown>)[option];
    if (chosen === undefined || words.includes(chosen as string)) continue;
    const list = words.map((word) => JSON.stringify(word)).join(" or ");
    throw new TypeError(`${name}: ${option} must be ${list}, got ${JSON.stringify(chosen)}`);
  }
  for (const [key, size] of Object.entries(sizes)) {
    if (typeof size === "number" && (!Number.isInteger(size) || size < 1)) {
      throw new RangeError(
        `${name}: size ${key} must be a whole number of at least 1, got ${size}`,
      );
    }
  }
  const parts = (given: Sizes) => {
    const made = { params: definition.params(given), state: definition.state(given) };
    checkShapes(made, name);
    return made;
  };
  try {
    return parts(sizes);
  } catch (cause) {
    throw missingSizes(sizes, name, parts, cause) ?? cause;
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

/** The error for sizes that are read, were not given, and would have made the difference. */
function missingSizes<Sizes extends object>(
  sizes: Sizes,
  name: string,
  parts: (sizes: Sizes) => unknown,
  cause: unknown,
): TypeError | undefined {
  const absent = new Set<string>();
  const watched = new Proxy(sizes, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver);
      if (value === undefined && typeof key === "string") absent.add(key);
      return value ?? 1;
    },
  });
  const works = (given: Sizes): boolean => {
    try {
      parts(given);
      return true;
    } catch {
      return false;
    }
  };
  if (!works(watched)) return undefined;
  const filled = Object.fromEntries(Array.from(absent, (key) => [key, 1]));
  const missing = Array.from(absent).filter(
    (key) => !works({ ...sizes, ...filled, [key]: undefined }),
  );
  if (missing.length === 0) return undefined;
  const given = Object.keys(sizes);
  const got = given.length === 0 ? "no sizes" : given.join(", ");
  const nearest = nearestOf(missing[0]!, given);
  const hint = nearest === undefined ? "" : `; did "${nearest}" mean "${missing[0]}"?`;
  return new TypeError(
    `${name}: the definition needs ${missing.length === 1 ? "the size" : "the sizes"} ${missing.join(" and ")}, got ${got}${hint}`,
    { cause },
  );
}
