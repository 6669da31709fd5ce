/** Drawings of one height beside each other, as one SVG. */
export function beside(drawings: readonly string[]): string {
  const sizes = drawings.map((svg) => {
    const size = (name: string) =>
      Number(new RegExp(`^<svg[^>]* ${name}="(\\d+)"`).exec(svg)?.[1] ?? 0);
    return { width: size("width"), height: size("height") };
  });
  const lefts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, { width }) => sum + width, 0));
  const width = sizes.reduce((sum, size) => sum + size.width, 0);
  const height = Math.max(...sizes.map((size) => size.height));
  const placed = drawings.map((svg, i) => svg.replace("<svg", `<svg x="${lefts[i]}"`));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${placed.join("")}</svg>`;
}
