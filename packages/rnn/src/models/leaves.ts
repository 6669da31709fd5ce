import { tree } from "@chronograd/autodiff";
import { nearestOf } from "@chronograd/autodiff/internal";
import { type Initializer, isInitializer } from "@chronograd/nn";
import { textOf } from "../checkDefinition.ts";

/** The float leaves of a tree of initialisers by path: whole numbers are never noisy. */
export function floatLeaves(values: unknown): [path: string, leaf: Initializer][] {
  return tree.leavesWithPath(values, isInitializer).filter(([, { dtype }]) => dtype !== "int32");
}

/**
 * The float leaves that names mean: one by its whole path (`"0.U"`), or all whose path ends with it
 * (`"U"`).
 *
 * @param what what the leaves are, in words
 * @throws for a name that none has
 */
export function leavesNamed(
  where: string,
  what: string,
  values: unknown,
  names: readonly string[],
): [path: string, leaf: Initializer][] {
  if (!Array.isArray(names)) {
    throw new TypeError(`${where}: names must be a list such as ["U"], got ${textOf(names)}`);
  }
  const leaves = floatLeaves(values);
  return names.flatMap((name: unknown) => {
    const found = leaves.filter(([path]) => path === name || path.endsWith(`.${String(name)}`));
    if (found.length > 0) return found;
    const paths = leaves.map(([path]) => path);
    const ends = paths.map((path) => path.slice(path.lastIndexOf(".") + 1));
    const nearest = nearestOf(String(name), [...new Set([...paths, ...ends])]);
    const hint = nearest === undefined ? "; it" : `, did you mean "${nearest}"? It`;
    throw new TypeError(
      `${where}: the cell has no ${what} of floats called ${textOf(name)}${hint} has ${paths.join(", ") || "none"}`,
    );
  });
}
