import fc from "fast-check";
import { parseMidi } from "midi-file";
import { describe, expect, test } from "vitest";
import { encodeMidi } from "../../src/data.ts";

const pieces = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 127 }), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 30,
});
const sorted = (pitches: Iterable<number>) => [...pitches].sort((a, b) => a - b);

/** What sounds in each step of a file: its events played, one tick after another. */
function played(bytes: Uint8Array, ticksPerStep: number) {
  const [track] = parseMidi(bytes).tracks;
  const sounding = new Set<number>();
  const steps: number[][] = [];
  for (const event of track!) {
    for (let tick = 0; tick < event.deltaTime; tick += ticksPerStep) steps.push(sorted(sounding));
    if (event.type === "noteOn") {
      if (sounding.has(event.noteNumber)) throw new Error("struck while it sounds");
      sounding.add(event.noteNumber);
    }
    if (event.type === "noteOff" && !sounding.delete(event.noteNumber)) {
      throw new Error("ended before it began");
    }
  }
  return { steps, sounding };
}

describe("a piece", () => {
  test("is what sounds when the file is played, and every note that begins ends", () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 96 }), (piece, stepsPerBeat) => {
        const bytes = encodeMidi(piece, { stepsPerBeat });
        const ticks = parseMidi(bytes).header.ticksPerBeat! / stepsPerBeat;
        expect(Number.isInteger(ticks)).toBe(true);
        const { steps, sounding } = played(bytes, ticks);
        expect(steps).toEqual(piece.map(sorted));
        expect(sounding.size).toBe(0);
      }),
    );
  });

  test("has its tempo, its instrument and one end", () => {
    const { header, tracks } = parseMidi(encodeMidi([[60]], { tempo: 120, program: 19 }));
    expect(header).toMatchObject({ format: 0, numTracks: 1 });
    expect(tracks[0]).toMatchObject([
      { type: "setTempo", microsecondsPerBeat: 500_000 },
      { type: "programChange", programNumber: 19 },
      { type: "noteOn", noteNumber: 60 },
      { type: "noteOff", noteNumber: 60 },
      { type: "endOfTrack" },
    ]);
  });

  test("is one chord, however often a pitch is named", () => {
    expect(encodeMidi([[60, 60], [60]])).toEqual(encodeMidi([[60], [60]]));
  });

  test("of every tempo within the bounds fits into the 24 bits of the format", () => {
    for (const tempo of [4, 1000]) {
      const [event] = parseMidi(encodeMidi([[1]], { tempo })).tracks[0]!;
      expect(event).toMatchObject({ microsecondsPerBeat: 60e6 / tempo });
    }
  });
});

test("what is no piece is refused", () => {
  const refuse = (steps: unknown, options?: object) =>
    expect(() => encodeMidi(steps as number[][], options));
  refuse([]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeMidi: steps must be an array of at least one time step, each an array of pitches]`,
  );
  refuse("CEG").toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeMidi: steps must be an array of at least one time step, each an array of pitches]`,
  );
  refuse([60, 64]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeMidi: step 0 must be an array of pitches, got number; a rest is []]`,
  );
  refuse([[60], [128]]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeMidi: step 1: a pitch must be a whole number from 0 to 127, got 128; 60 is the middle C]`,
  );
  refuse([[Number.NaN]]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeMidi: step 0: a pitch must be a whole number from 0 to 127, got NaN; 60 is the middle C]`,
  );
  refuse([["60"]]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeMidi: step 0: a pitch must be a whole number from 0 to 127, got a string; 60 is the middle C]`,
  );
  refuse([[60]], { tempo: 0 }).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeMidi: tempo: Too small: expected number to be >=4. It takes tempo, stepsPerBeat, program]`,
  );
  refuse([[60]], { stepsPerBeat: 0.5 }).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeMidi: stepsPerBeat: Invalid input: expected int, received number. It takes tempo, stepsPerBeat, program]`,
  );
  refuse([[60]], { bpm: 90 }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeMidi: there is no option "bpm". It takes tempo, stepsPerBeat, program]`,
  );
  refuse([[60]], { temop: 90 }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeMidi: there is no option "temop". It takes tempo, stepsPerBeat, program]`,
  );
});
