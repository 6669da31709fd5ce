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
