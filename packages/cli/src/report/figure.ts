import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { checkOptions } from "../checkOptions.ts";

/** The options of `Plot.plot`, which takes no notice of others. */
const known: readonly string[] = [
  "marks width height aspectRatio style className title subtitle caption figure",
  "ariaLabel ariaDescription document projection facet",
  "margin marginTop marginRight marginBottom marginLeft",
  "inset insetTop insetRight insetBottom insetLeft",
  "x y fx fy r color opacity symbol length",
  "clip clamp nice zero round align padding axis grid label labelArrow",
].flatMap((names) => names.split(" "));

/**
 * A figure of Observable Plot as the text of an SVG file, 860 wide and 300 high unless told
 * otherwise.
 *
 * @throws for an option that is unknown, with the one that was likely meant
 *
 * @example
 * ```ts
 * import * as Plot from "@observablehq/plot";
 * import { figure } from "chronograd/report";
 *
 * const svg = figure({ marks: [Plot.lineY([1, 4, 9])] });
 * svg.startsWith("<svg"); // => true
 * ```
 */
export function figure(options: Plot.PlotOptions): string {
  checkOptions("figure", options, known);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawn = Plot.plot({
    width: 860,
    height: 300,
    marginLeft: 56,
    marginBottom: 42,
    style: { fontSize: "12px", background: "white" },
    ...options,
    // Otherwise descenders of the label are cut off.
    x: { labelOffset: 37, ...options.x },
    document: document as unknown as Document,
  });
  // With a legend or a title Plot wraps the drawing in a figure element, as the last of its parts;
  // swatches of a legend are drawings too, deeper inside.
  const isSvg = ({ tagName }: Element) => tagName.toLowerCase() === "svg";
  const svg = isSvg(drawn) ? drawn : [...drawn.children].findLast(isSvg)!;
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return svg.outerHTML;
}
