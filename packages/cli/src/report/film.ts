import { checkOptions } from "../checkOptions.ts";
import { escapeHtml } from "./escape.ts";
import { png } from "./png.ts";

/** Grey images one after another in time, each row by row, from 0 (black) to 1 (white). */
export type Video = readonly ArrayLike<number>[];

/** What `film` takes. */
export interface Film {
  /** Videos side by side, in rows below each other that their names label. */
  readonly rows: Readonly<Record<string, readonly Video[]>>;
  /** Columns of an image. */
  readonly width: number;
  /** A line of text above each frame; as many as a video has images. */
  readonly captions: readonly string[];
  /** How long a frame is seen; 0.25 unless given. */
  readonly seconds?: number;
  /** How large a pixel is drawn; 3 unless given. */
  readonly scale?: number;
}

/** Dark pixels between images, and the room for text above and at the left. */
const [gap, above, left] = [1, 24, 80] as const;

const known = ["rows", "width", "captions", "seconds", "scale"];

/** Height of the images, or a thrown sentence. */
function heightOf(film: Film): number {
  const { rows, width, captions } = film;
  checkOptions("film", film, known);
  for (const [name, value] of Object.entries({ seconds: film.seconds, scale: film.scale })) {
    if (value === undefined || (Number.isFinite(value) && value > 0)) continue;
    throw new RangeError(`film: ${name} must be a number above 0, got ${value}`);
  }
  const all = Object.entries(rows).flatMap(([name, videos]) =>
    videos.map((video, i) => [`video ${i} of "${name}"`, video] as const),
  );
  const size = all[0]?.[1][0]?.length ?? 0;
  if (size === 0) throw new TypeError("film: expected at least one video with an image, got none");
  if (!Number.isSafeInteger(width) || width < 1 || size % width !== 0) {
    throw new RangeError(`film: width must divide the ${size} pixels of an image, got ${width}`);
  }
  for (const [name, video] of all) {
    if (video.length !== captions.length) {
      throw new RangeError(
        `film: a video must have an image for each of the ${captions.length} captions, got ${video.length} of ${name}`,
      );
    }
    for (const [t, image] of video.entries()) {
      const fault =
        image.length !== size
          ? `has ${image.length} pixels, and the first image ${size}`
          : Array.prototype.some.call(image, Number.isNaN) && "has a pixel that is NaN";
      if (fault) throw new RangeError(`film: image ${t} of ${name} ${fault}`);
    }
  }
  return size / width;
}

/**
 * Videos beside each other as one animated SVG, which needs no script, so that it moves in a README
 * too: all frames are one picture, a strip of film that a window passes over.
 *
 * @throws where videos have no images, not one for each caption, or images of several sizes; for
 *   options that are misspelt or no numbers above 0
 *
 * @example
 * ```ts
 * import { film } from "chronograd/report";
 *
 * const moving = [[1, 0, 0, 0], [0, 1, 0, 0]]; // two images of 2 x 2 pixels
 * const svg = film({ rows: { truth: [moving] }, width: 2, captions: ["first", "second"] });
 * svg.includes('values="0;-2"'); // => true
 * ```
 */
export function film(options: Film): string {
  const { rows, width, captions, seconds = 0.25, scale = 3 } = options;
  const height = heightOf(options);
  const names = Object.keys(rows);
  const most = Math.max(...Object.values(rows).map(({ length }) => length));
  const columns = most * (width + gap) - gap;
  const lines = names.length * (height + gap) - gap;
  const strip = new Uint8Array(columns * lines * captions.length).fill(60);
  for (const [r, name] of names.entries()) {
    for (const [v, video] of rows[name]!.entries()) {
      for (const [t, image] of video.entries()) {
        const corner = (t * lines + r * (height + gap)) * columns + v * (width + gap);
        for (let i = 0; i < image.length; i++) {
          const at = corner + Math.floor(i / width) * columns + (i % width);
          strip[at] = Math.round(255 * Math.min(1, Math.max(0, image[i]!)));
        }
      }
    }
  }
  const moves = (attribute: string, values: readonly (number | string)[]) =>
    `<animate attributeName="${attribute}" calcMode="discrete" dur="${captions.length * seconds}s" repeatCount="indefinite" values="${values.join(";")}"/>`;
  const [wide, high] = [columns * scale, lines * scale];
  const labels = names.map((name, r) => {
    const y = above + scale * (r * (height + gap) + height / 2);
    return `<text x="${left - 8}" y="${y}" text-anchor="end" dominant-baseline="middle">${escapeHtml(name)}</text>`;
  });
  // A caption that stays the same for a while is one text.
  const texts = [...new Set(captions)].map((caption) => {
    const seen = captions.map((each) => Number(each === caption));
    return `<text x="${left}" y="16" opacity="${seen[0]}">${escapeHtml(caption)}${moves("opacity", seen)}</text>`;
  });
  const data = Buffer.from(png(strip, columns)).toString("base64");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + wide + 8}" height="${above + high + 8}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...labels,
    ...texts,
    `<svg x="${left}" y="${above}" width="${wide}" height="${high}" viewBox="0 0 ${columns} ${lines}">`,
    `<image width="${columns}" height="${lines * captions.length}" style="image-rendering: pixelated" href="data:image/png;base64,${data}">`,
    moves(
      "y",
      captions.map((_, t) => -t * lines),
    ).replace('"-0', '"0'),
    "</image>",
    "</svg>",
    "</svg>",
  ].join("\n");
}
