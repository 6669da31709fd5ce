import { escapeHtml } from "./escape.ts";

/**
 * A table in HTML, of plain texts.
 *
 * @param head the names of the columns
 *
 * @example
 * ```ts
 * import { table } from "chronograd/report";
 *
 * table(["x", "y"], [["1", "< 2"]]);
 * // => "<table><tr><th>x</th><th>y</th></tr><tr><td>1</td><td>&lt; 2</td></tr></table>"
 * ```
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: "th" | "td") =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>${line(head, "th")}${rows.map((row) => line(row, "td")).join("")}</table>`;
}
