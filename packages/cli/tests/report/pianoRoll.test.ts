import fc from "fast-check";
import { expect, test } from "vitest";
import { notesOf } from "../../src/report/pianoRoll.ts";
import { figure, pianoRoll } from "../../src/report.ts";

const pieces = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 127 }), { maxLength: 5 }), {
  minLength: 1,
  maxLength: 20,
});
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

test("the notes sound in the steps that they are made of, and no two of them touch", () => {
  fc.assert(
    fc.property(pieces, (piece) => {
      const notes = notesOf("all", piece);
      const sounding = piece.map((_, t) =>
        notes.filter(({ from, to }) => from <= t && t < to).map(({ pitch }) => pitch),
      );
      expect(sounding.map(sorted)).toEqual(piece.map(sorted));
      for (const { pitch, to } of notes) {
        expect(notes.some((other) => other.pitch === pitch && other.from === to)).toBe(false);
      }
    }),
  );
});

test("a picture has a rectangle for each note, and the names of several parts", () => {
  const alone = figure(pianoRoll({ melody: [[60], [60], [62, 74], []] }));
  expect(alone.match(/<rect/g)).toHaveLength(3);
  expect(alone).not.toContain("melody");
  const both = figure(pianoRoll({ low: [[48]], high: [[60]] }, { height: 200 }));
  expect(both).toContain("■ low");
  expect(both).toContain("■ high");
  expect(both).toContain('height="200"');
});

test("without a note there is nothing to draw", () => {
  expect(() => pianoRoll({ rest: [[], []] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: pianoRoll: no part has a note; give each time step its pitches]`,
  );
  expect(() => pianoRoll({})).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: pianoRoll: no part has a note; give each time step its pitches]`,
  );
});

test("what is no pitch is refused", () => {
  expect(() => pianoRoll({ alto: [[64], [Number.NaN]] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: pianoRoll: "alto", step 1: a pitch must be a finite number, got NaN; 60 is the middle C, and a rest is []]`,
  );
});
