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

/**
 * A picture of `width` columns as a PNG file of 8-bit greys (W3C, Portable Network Graphics, 2003).
 *
 * @param greys row by row, from 0 (black) to 255 (white)
 * @throws unless the greys fill at least one row, and no row in part
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
export function png(greys: Uint8Array, width: number): Uint8Array {
  const height = greys.length / width;
  if (!(width >= 1 && height >= 1 && Number.isInteger(width) && Number.isInteger(height))) {
    throw new RangeError(
      `png: greys must fill at least one row of width, and no row in part, got ${greys.length} greys and width ${width}`,
    );
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, grey (0), the one compression, the one set of filters, rows in their order.
  header.set([8, 0, 0, 0, 0], 8);
  // Each row begins with the filter that was used: none.
  const rows = new Uint8Array(height * (width + 1));
  for (let row = 0; row < height; row++) {
    rows.set(greys.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array()),
  ]);
}
