import * as Plot from "@observablehq/plot";

/** Names of curves beside each other, at the right above the frame, each behind its colour. */
export function named(
  curves: readonly (readonly [name: string, colour: string])[],
  dy = -14,
): Plot.Markish[] {
  // About as wide as the letters are in 12 px.
  const widths = curves.map(([name]) => 6.6 * name.length + 28);
  return curves.flatMap(([name, colour], i) => {
    const dx = -widths.slice(i).reduce((sum, width) => sum + width, 0) + 12;
    const place = { frameAnchor: "top-right", textAnchor: "start", dy } as const;
    return [
      Plot.text(["■"], { ...place, dx, fill: colour }),
      Plot.text([name], { ...place, dx: dx + 14 }),
    ];
  });
}
