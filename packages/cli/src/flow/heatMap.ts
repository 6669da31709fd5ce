import * as Plot from "@observablehq/plot";
import { type Colour, png } from "../report/png.ts";
import { tick } from "../report/tick.ts";

/** A matrix of numbers above 0, drawn in colours by their logarithms. */
export interface HeatMap {
  /** Column by column, each from the bottom up; what is null, 0 or not finite stays white. */
  readonly columns: readonly (readonly (number | null)[] | null)[];
  /** Labels of the axes and of the colours. */
  readonly x: string;
  readonly y: string;
  readonly colour: string;
  /** The numbers of the first column and of the lowest row. */
  readonly from: readonly [x: number, y: number];
}

const [width, height, left, right, top, bottom] = [860, 320, 56, 104, 28, 42] as const;

/** Colours that are told apart; the first of the palette is for what has none. */
const shades = 255;

/** Numbers below this share of the largest have the darkest colour. */
const depth = 1e-6;

const isDrawn = (value: number | null | undefined): value is number =>
  Number.isFinite(value) && value! > 0;

/** White, and then the colours from dark to light. */
function palette(): Colour[] {
  const { apply } = Plot.scale({ color: { domain: [1, shades], scheme: "viridis" } })!;
  const colours = Array.from({ length: shades }, (_, i) => {
    const { r, g, b } = rgb(apply(i + 1) as string);
    return [r, g, b] as const;
  });
  return [[255, 255, 255], ...colours];
}

/** `"#440154"` or `"rgb(68, 1, 84)"`. */
function rgb(text: string): { r: number; g: number; b: number } {
  const [r, g, b] = text.startsWith("#")
    ? [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16))
    : text.match(/\d+/g)!.map(Number);
  return { r: r!, g: g!, b: b! };
}

const address = (bytes: Uint8Array) =>
  `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`;

/** An image that fills the frame of the figure, or a part beside it. */
const image = (src: string, size: { width: number; height: number; dx?: number }) =>
  Plot.image([0], {
    src: () => src,
    preserveAspectRatio: "none",
    imageRendering: "pixelated",
    frameAnchor: "middle",
    ...size,
  } as Plot.ImageOptions);

/** A heat map as options of `figure`, with a legend at the right. */
export function heatMap({ columns, x, y, colour, from }: HeatMap): Plot.PlotOptions {
  const rows = Math.max(1, ...columns.map((column) => column?.length ?? 0));
  const drawn = columns.flatMap((column) => column ?? []).filter(isDrawn);
  const most = drawn.reduce((a, b) => Math.max(a, b), 0);
  const least = Math.max(
    most * depth,
    drawn.reduce((a, b) => Math.min(a, b), most),
  );
  const span = Math.log(most / least) || 1;
  const shade = (value: number | null | undefined) =>
    isDrawn(value)
      ? 1 + Math.round((shades - 1) * Math.max(0, 1 + Math.log(value / most) / span))
      : 0;
  const pixels = new Uint8Array(columns.length * rows);
  for (const [c, column] of columns.entries()) {
    for (let r = 0; r < rows; r++) {
      pixels[(rows - 1 - r) * columns.length + c] = shade(column?.[r]);
    }
  }
  const colours = palette();
  const [wide, high] = [width - left - right, height - top - bottom];
  const ramp = png(
    Uint8Array.from({ length: shades }, (_, i) => shades - i),
    1,
    colours,
  );
  const ticks = drawn.length === 0 ? [] : powersOfTen(least, most);
  // Of the legend, from the middle of the frame.
  const dx = wide / 2 + 24;
  const dy = (value: number) => high / 2 - (high * Math.log(value / least)) / span;
  return {
    ...{ width, height },
    ...{ marginLeft: left, marginRight: right, marginTop: top, marginBottom: bottom },
    x: { domain: [from[0] - 0.5, from[0] + columns.length - 0.5], label: x },
    y: { domain: [from[1] - 0.5, from[1] + rows - 0.5], label: y },
    marks: [
      image(address(png(pixels, columns.length, colours)), { width: wide, height: high }),
      ...(drawn.length === 0 ? [] : [image(address(ramp), { width: 12, height: high, dx })]),
      ...ticks.map((value) =>
        Plot.text([tick(value)], {
          frameAnchor: "middle",
          textAnchor: "start",
          dx: dx + 10,
          dy: dy(value),
        }),
      ),
      Plot.text([colour], {
        ...{ frameAnchor: "top-right", dx: right - 4, dy: -18 },
        textAnchor: "end",
      }),
    ],
  };
}

/** Powers of ten between two numbers, or the two where there are fewer than two. */
function powersOfTen(least: number, most: number): number[] {
  const first = Math.ceil(Math.log10(least) - 1e-9);
  const last = Math.floor(Math.log10(most) + 1e-9);
  if (last - first < 1) return least === most ? [most] : [least, most];
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}
