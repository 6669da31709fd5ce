import { type Tensor, tree } from "@chronograd/autodiff";
import { isTracing, nearestOf } from "@chronograd/autodiff/internal";

/** Sizes that note which names are read; those that are missing read as `absent`. */
export function noting<Sizes extends object>(
  sizes: Sizes,
  read: Set<PropertyKey>,
  absent?: number,
): Sizes {
  return new Proxy(sizes, {
    get(target, key) {
      read.add(key);
      const value: unknown = Reflect.get(target, key);
      return value === undefined ? absent : value;
    },
  });
}

/** The error for sizes that are read, were not given, and would have made the difference. */
export function missingSizes<Sizes extends object>(
  sizes: Sizes,
  name: string,
  run: (sizes: Sizes) => unknown,
  cause: unknown,
): TypeError | undefined {
  const works = (given: Sizes): boolean => {
    try {
      run(given);
      return true;
    } catch {
      return false;
    }
  };
  const read = new Set<PropertyKey>();
  if (!works(noting(sizes, read, 1))) return undefined;
  const absent = Array.from(read, String).filter((key) => !(key in sizes));
  const filled = Object.fromEntries(absent.map((key) => [key, 1]));
  const missing = absent.filter((key) => !works({ ...sizes, ...filled, [key]: undefined }));
  if (missing.length === 0) return undefined;
  // A choice is no size: it is always made, and only choices are words.
  const given = Object.entries(sizes).flatMap(([key, value]) =>
    typeof value === "string" ? [] : [key],
  );
  const got = given.length === 0 ? "no sizes" : given.join(", ");
  const nearest = nearestOf(missing[0]!, given);
  const hint = nearest === undefined ? "" : `; did "${nearest}" mean "${missing[0]}"?`;
  return new TypeError(
    `${name}: the definition needs ${missing.length === 1 ? "the size" : "the sizes"} ${missing.join(" and ")}, got ${got}${hint}`,
    { cause },
  );
}

/**
 * The first step of a cell: where it reads a size that is missing, and throws or gives NaN because
 * of that, the error names the size. A size may be missing if the step has a default for it.
 */
export function firstStep<Sizes extends object, Result>(
  sizes: Sizes,
  name: string,
  step: (sizes: Sizes) => Result,
): Result {
  const read = new Set<PropertyKey>();
  const isAbsent = () => Array.from(read).some((key) => !(key in sizes));
  let done: readonly [Result] | undefined;
  try {
    done = [step(noting(sizes, read))];
    // A function that reads numbers could not be compiled.
    if (isAbsent() && !isTracing()) checkNumbers(done[0]);
    return done[0];
  } catch (cause) {
    const run = (given: Sizes): void => checkNumbers(step(given));
    const missing = isAbsent() ? missingSizes(sizes, name, run, cause) : undefined;
    if (missing !== undefined || done === undefined) throw missing ?? cause;
    return done[0];
  }
}

function checkNumbers(result: unknown): void {
  tree.map(result, (x: Tensor) => {
    if (x.toTypedArray().some(Number.isNaN)) throw new RangeError("a step gives NaN");
  });
}
