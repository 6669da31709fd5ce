import * as Plot from "@observablehq/plot";

/** Names of curves beside each other, at the right above the frame, each in its colour. */
export function named(
  curves: readonly (readonly [name: string, colour: string])[],
  dy = -14,
): Plot.Markish[] {
  // About as wide as the letters are in 12 px.
  const widths = curves.map(([name]) => 6.6 * name.length + 28);
  return curves.flatMap(([name, colour], i) => {
    const dx = -widths.slice(i + 1).reduce((sum, width) => sum + width, 0);
    const place = { frameAnchor: "top-right", textAnchor: "end", dy } as const;
    return [
      Plot.text([name], { ...place, dx }),
      Plot.text(["■"], { ...place, dx: dx + 14 - widths[i]!, fill: colour }),
    ];
  });
}
