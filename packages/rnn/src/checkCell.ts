import { definitionOf } from "./cell.ts";

/** Which part of a cell a function needs: its own `step`, or one of `step` and `unroll`. */
type Needs = "step" | "any";

/**
 * Throws a sentence unless `cell` is a cell, or, where `needs` is `"any"`, a model of whole
 * sequences.
 *
 * @param wayOut what to do with a model of whole sequences where a step is needed
 */
export function checkCell(
  where: string,
  cell: unknown,
  needs: Needs,
  wayOut = `give it the cells inside, as in bidirectional(${where}(cell, ...))`,
): void {
  const { step, unroll } = (cell ?? {}) as { readonly step?: unknown; readonly unroll?: unknown };
  if (typeof step === "function") return;
  if (typeof unroll === "function") {
    if (needs === "any") return;
    throw new TypeError(
      `${where}: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; ${wayOut}`,
    );
  }
  const expected = `${where}: expected a cell, { params, state, step }, got`;
  if (typeof cell !== "function") {
    const isObject = typeof cell === "object" && cell !== null;
    throw new TypeError(`${expected} ${isObject ? "an object without step" : String(cell)}`);
  }
  const name = definitionOf(cell)?.name ?? "cell";
  const given = definitionOf(cell) === undefined ? "a function" : `the family ${name}`;
  throw new TypeError(
    `${expected} ${given}; a family gives a cell when it is called with sizes, such as ${name}({ input: 3, hidden: 5 })`,
  );
}
