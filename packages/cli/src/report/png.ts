import { crc32, deflateSync } from "node:zlib";

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** A chunk: its length, its type, its bytes, and the check sum of the two latter. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** Red, green and blue, each from 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * A picture of `width` columns as a PNG file of 8-bit greys, or of colours from a palette (W3C,
 * Portable Network Graphics, 2003).
 *
 * @param greys row by row, from 0 (black) to 255 (white); with a palette, places in it
 * @param palette at most 256 colours
 * @throws unless the greys fill at least one row, and no row in part, and are in the palette
 *
 * @example
 * ```ts
 * import { png } from "chronograd/report";
 *
 * // A board of two by two.
 * const bytes = png(Uint8Array.of(0, 255, 255, 0), 2);
 * String.fromCharCode(...bytes.subarray(1, 4)); // => "PNG"
 * ```
 */
export function png(greys: Uint8Array, width: number, palette?: readonly Colour[]): Uint8Array {
  const height = greys.length / width;
  if (!(width >= 1 && height >= 1 && Number.isInteger(width) && Number.isInteger(height))) {
    throw new RangeError(
      `png: greys must fill at least one row of width, and no row in part, got ${greys.length} greys and width ${width}`,
    );
  }
  if (palette !== undefined) checkPalette(greys, palette);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, grey (0) or of a palette (3), the one compression, the one set of filters, rows in
  // their order.
  header.set([8, palette === undefined ? 0 : 3, 0, 0, 0], 8);
  // Each row begins with the filter that was used: none.
  const rows = new Uint8Array(height * (width + 1));
  for (let row = 0; row < height; row++) {
    rows.set(greys.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    ...(palette === undefined ? [] : [chunk("PLTE", Uint8Array.from(palette.flat()))]),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array()),
  ]);
}

function checkPalette(places: Uint8Array, { length }: readonly Colour[]): void {
  if (length < 1 || length > 256) {
    throw new RangeError(`png: a palette must have 1 to 256 colours, got ${length}`);
  }
  const outside = places.find((place) => place >= length);
  if (outside === undefined) return;
  throw new RangeError(`png: place ${outside} is not in a palette of ${length} colours`);
}
