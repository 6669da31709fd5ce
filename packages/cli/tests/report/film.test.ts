import { crc32, inflateSync } from "node:zlib";
import { rng } from "@chronograd/nn";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Film, film } from "../../src/report.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);

/** The pixels of the picture in a film, by the PNG standard: greys of 8 bits without filters. */
function decoded(svg: string) {
  const [, text = ""] = /href="data:image\/png;base64,([^"]+)"/.exec(svg)!;
  const file = Buffer.from(text, "base64");
  expect([...file.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks: Record<string, Buffer> = {};
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const [type, data] = [
      file.toString("latin1", at + 4, at + 8),
      file.subarray(at + 8, at + 8 + length),
    ];
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(data, crc32(type)));
    chunks[type] = data;
    at += 12 + length;
  }
  const header = chunks.IHDR!;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  expect([...header.subarray(8)]).toEqual([8, 0, 0, 0, 0]);
  const rows = inflateSync(chunks.IDAT!);
  expect(rows.length).toBe(height * (width + 1));
  for (let row = 0; row < height; row++) expect(rows[row * (width + 1)]).toBe(0);
  return { width, height, at: (row: number, col: number) => rows[row * (width + 1) + 1 + col] };
}

test("each image stands where its window is at its time, and nothing else is there", () => {
  const sizes = fc.record({
    ...{ T: fc.integer({ min: 1, max: 5 }), R: fc.integer({ min: 1, max: 3 }) },
    ...{ V: fc.integer({ min: 1, max: 3 }), H: fc.integer({ min: 1, max: 4 }) },
    ...{ W: fc.integer({ min: 1, max: 4 }), seed: fc.nat(1000) },
  });
  fc.assert(
    fc.property(sizes, ({ T, R, V, H, W, seed }) => {
      const random = rng(seed, "pixels");
      const list = <X>(length: number, make: () => X) => Array.from({ length }, make);
      const videos = list(R, () =>
        list(V, () => list(T, () => list(H * W, () => random.integer(0, 256)))),
      );
      const rows = Object.fromEntries(
        videos.map((row, r) => [
          `row ${r}`,
          row.map((video) => video.map((image) => image.map((grey) => grey / 255))),
        ]),
      );
      const svg = film({ rows, width: W, captions: list(T, () => "a") });
      const image = decoded(svg);
      const [, wide, high] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number) as number[];
      const tops = /attributeName="y".* values="([^"]+)"/.exec(svg)![1]!.split(";").map(Number);
      expect([image.width, image.height]).toEqual([wide, high! * T]);
      for (let t = 0; t < T; t++) {
        for (let y = 0; y < high!; y++) {
          for (let x = 0; x < wide!; x++) {
            const [r, v] = [Math.floor(y / (H + 1)), Math.floor(x / (W + 1))];
            const [row, col] = [y % (H + 1), x % (W + 1)];
            const isGap = row === H || col === W;
            const expected = isGap ? 60 : videos[r]![v]![t]![row * W + col];
            expect(image.at(y - tops[t]!, x)).toBe(expected);
          }
        }
      }
    }),
    { numRuns: 20, seed },
  );
});

test("a caption is seen exactly while it holds, and text is escaped", () => {
  const rows = { "a < b": [[[0], [1], [0]]] };
  const svg = film({ rows, width: 1, captions: ["x & y", "z", "x & y"], seconds: 0.5 });
  expect(svg).toContain("a &lt; b</text>");
  const texts = [...svg.matchAll(/>([^<]*)<animate attributeName="opacity"[^>]*values="([^"]*)"/g)];
  expect(texts.map(([, text, values]) => [text, values])).toEqual([
    ["x &amp; y", "1;0;1"],
    ["z", "0;1;0"],
  ]);
  expect(svg.match(/dur="1.5s"/g)).toHaveLength(3);
});

test("pixels beyond black and white are black and white", () => {
  const image = decoded(film({ rows: { a: [[[-1, 1e9, 0.5]]] }, width: 3, captions: [""] }));
  expect([0, 1, 2].map((col) => image.at(0, col))).toEqual([0, 255, 128]);
});

test("what does not fit is refused in a sentence", () => {
  const error = (options: Film) => {
    try {
      return film(options);
    } catch (thrown) {
      return String(thrown);
    }
  };
  const captions = ["one", "two"];
  const refused = [
    { rows: {}, width: 1, captions },
    { rows: { a: [[[], []]] }, width: 1, captions },
    {
      rows: {
        a: [
          [
            [1, 2, 3],
            [1, 2, 3],
          ],
        ],
      },
      width: 2,
      captions,
    },
    { rows: { a: [[[1], [1]], [[1]]] }, width: 1, captions },
    { rows: { a: [[[1], [1]]], b: [[[1], [1, 2]]] }, width: 1, captions },
    { rows: { a: [[[1], [Number.NaN]]] }, width: 1, captions },
    { rows: { a: [[[1], [1]]] }, width: 1, captions, seconds: Number.NaN },
    { rows: { a: [[[1], [1]]] }, width: 1, captions, scale: 0 },
    { rows: { a: [[[1], [1]]] }, width: 1, captions, second: 1 } as Film,
  ].map(error);
  expect(refused.join("\n")).toMatchInlineSnapshot(`
    "TypeError: film: expected at least one video with an image, got none
    TypeError: film: expected at least one video with an image, got none
    RangeError: film: width must divide the 3 pixels of an image, got 2
    RangeError: film: a video must have an image for each of the 2 captions, got 1 of video 1 of "a"
    RangeError: film: image 1 of video 0 of "b" has 2 pixels, and the first image 1
    RangeError: film: image 1 of video 0 of "a" has a pixel that is NaN
    RangeError: film: seconds must be a number above 0, got NaN
    RangeError: film: scale must be a number above 0, got 0
    TypeError: film: there is no option "second", did you mean "seconds"? It takes rows, width, captions, seconds, scale"
  `);
});
