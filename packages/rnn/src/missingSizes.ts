import { nearestOf } from "@chronograd/autodiff/internal";

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
