import { tree } from "@chronograd/autodiff";
import { nearestOf } from "@chronograd/autodiff/internal";
import { type Initializer, isInitializer } from "@chronograd/nn";
import { textOf } from "../checkDefinition.ts";

/** The float leaves of a tree of initialisers by path: whole numbers are never noisy. */
export function floatLeaves(values: unknown): [path: string, leaf: Initializer][] {
  return tree.leavesWithPath(values, isInitializer).filter(([, { dtype }]) => dtype !== "int32");
}

/**
 * The float leaves that a name means: one by its whole path (`"0.U"`), or all whose path ends with
 * it (`"U"`).
 *
 * @param what what the leaves are, in words
 * @throws for a name that none has
 */
export function leavesNamed(
  where: string,
  what: string,
  values: unknown,
  name: unknown,
): [path: string, leaf: Initializer][] {
  const leaves = floatLeaves(values);
  const found = leaves.filter(([path]) => path === name || path.endsWith(`.${String(name)}`));
  if (found.length > 0 && typeof name === "string") return found;
  const paths = leaves.map(([path]) => path);
  const known = [
    ...new Set([...paths, ...paths.map((path) => path.slice(path.lastIndexOf(".") + 1))]),
  ];
  const nearest = nearestOf(String(name), known);
  const hint = nearest === undefined ? "" : `, did you mean "${nearest}"?`;
  throw new TypeError(
    `${where}: the cell has no ${what} ${textOf(name)} of floats${hint || ";"} it has ${paths.join(", ") || "none"}`,
  );
}
