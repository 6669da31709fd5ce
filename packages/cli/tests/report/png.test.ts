import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { png } from "../../src/report.ts";

/** The chunks of a PNG file by their types. */
function chunksOf(bytes: Uint8Array): Map<string, Buffer> {
  const file = Buffer.from(bytes);
  const found = new Map<string, Buffer>();
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    found.set(file.toString("latin1", at + 4, at + 8), file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return found;
}

test("size, depth and rows are those of the greys", () => {
  const chunks = chunksOf(png(Uint8Array.of(1, 2, 3, 4, 5, 6), 3));
  expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  expect([...chunks.get("IHDR")!]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
  expect([...inflateSync(chunks.get("IDAT")!)]).toEqual([0, 1, 2, 3, 0, 4, 5, 6]);
});

test("with a palette, a picture has its colours", () => {
  const palette = [
    [1, 2, 3],
    [4, 5, 6],
  ] as const;
  const chunks = chunksOf(png(Uint8Array.of(1, 0), 2, palette));
  expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
  expect([...chunks.get("IHDR")!.subarray(8)]).toEqual([8, 3, 0, 0, 0]);
  expect([...chunks.get("PLTE")!]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...inflateSync(chunks.get("IDAT")!)]).toEqual([0, 1, 0]);
  expect(() => png(Uint8Array.of(2, 0), 2, palette)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: png: place 2 is not in a palette of 2 colours]`,
  );
  expect(() => png(Uint8Array.of(0), 1, [])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: png: a palette must have 1 to 256 colours, got 0]`,
  );
});

test("greys that fill no rows are refused", () => {
  const greys = new Uint8Array(6);
  expect(() => png(greys, 4)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: png: greys must fill at least one row of width, and no row in part, got 6 greys and width 4]`,
  );
  expect(() => png(greys, 0)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: png: greys must fill at least one row of width, and no row in part, got 6 greys and width 0]`,
  );
  expect(() => png(new Uint8Array(0), 2)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: png: greys must fill at least one row of width, and no row in part, got 0 greys and width 2]`,
  );
});
