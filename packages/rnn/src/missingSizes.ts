import { nearestOf } from "@chronograd/autodiff/internal";

/** The error for sizes that are read, were not given, and would have made the difference. */
export function missingSizes<Sizes extends object>(
  sizes: Sizes,
  name: string,
  given: readonly string[],
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
  const absent: string[] = [];
  const noting = new Proxy(sizes, {
    get(target, key) {
      if (key in target) return Reflect.get(target, key);
      absent.push(String(key));
      return 1;
    },
  });
  if (!works(noting)) return undefined;
  const filled = Object.fromEntries(absent.map((key) => [key, 1]));
  const missing = [...new Set(absent)].filter(
    (key) => !works({ ...sizes, ...filled, [key]: undefined }),
  );
  return missing.length === 0 ? undefined : missingError(name, missing, given, cause);
}

/** The error for sizes that were not given, beside those that were. */
export function missingError(
  name: string,
  missing: readonly string[],
  given: readonly string[],
  cause?: unknown,
): TypeError {
  const got = given.length === 0 ? "no sizes" : given.join(", ");
  const nearest = nearestOf(missing[0]!, given);
  const hint = nearest === undefined ? "" : `; did "${nearest}" mean "${missing[0]}"?`;
  return new TypeError(
    `${name}: the definition needs ${missing.length === 1 ? "the size" : "the sizes"} ${missing.join(" and ")}, got ${got}${hint}`,
    { cause },
  );
}
