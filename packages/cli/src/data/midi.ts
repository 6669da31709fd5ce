import { type MidiEvent, writeMidi } from "midi-file";
import * as z from "zod";
import { checkOptions } from "../checkOptions.ts";

/** Ticks of a step: many divisors, for programs that go on with the file. */
const ticksPerStep = 120;
const velocity = 80;

const schema = z.object({
  tempo: z.number().min(4).max(1000).default(90),
  stepsPerBeat: z.int().min(1).max(96).default(1),
  program: z.int().min(0).max(127).default(0),
});

/** Options of `encodeMidi`. */
export interface MidiOptions {
  /** Beats in a minute, 4 to 1000; 90 unless given. */
  readonly tempo?: number;
  /** Time steps of a beat, a quarter note; 1 unless given. */
  readonly stepsPerBeat?: number;
  /** The instrument in the General MIDI list from 0: a piano unless given, a church organ is 19. */
  readonly program?: number;
}

/**
 * A piece as the bytes of a MIDI file of one track. A pitch that sounds in steps one after another
 * is held, not struck again.
 *
 * @param steps for each time step the pitches that sound: MIDI numbers from 0 to 127 (60 is the
 *   middle C), in any order; none is a rest
 * @throws for no step, what is no pitch, and options that are unknown or out of range
 *
 * @example
 * ```ts
 * import { encodeMidi } from "chronograd/data";
 *
 * const cadence = [[60, 64, 67], [59, 62, 67], [60, 64, 67]];
 * const bytes = encodeMidi(cadence, { tempo: 60 });
 * String.fromCharCode(...bytes.slice(0, 4)); // => "MThd"
 * ```
 */
export function encodeMidi(
  steps: readonly (readonly number[])[],
  options: MidiOptions = {},
): Uint8Array {
  const { tempo, stepsPerBeat, program } = checkedOptions(options);
  const pitches = checkedSteps(steps);
  const track: MidiEvent[] = [
    { deltaTime: 0, type: "setTempo", microsecondsPerBeat: Math.round(60e6 / tempo) },
    { deltaTime: 0, type: "programChange", channel: 0, programNumber: program },
  ];
  let sounding: ReadonlySet<number> = new Set();
  let deltaTime = 0;
  for (const next of [...pitches, new Set<number>()]) {
    const event = (type: "noteOn" | "noteOff", noteNumber: number) => {
      track.push({
        deltaTime,
        type,
        channel: 0,
        noteNumber,
        velocity: type === "noteOn" ? velocity : 0,
      });
      deltaTime = 0;
    };
    for (const pitch of sounding) if (!next.has(pitch)) event("noteOff", pitch);
    for (const pitch of next) if (!sounding.has(pitch)) event("noteOn", pitch);
    sounding = next;
    deltaTime += ticksPerStep;
  }
  // The loop went one step beyond the end; rests at the end are a part of the piece.
  track.push({ deltaTime: deltaTime - ticksPerStep, type: "endOfTrack" });
  const header = { format: 0, numTracks: 1, ticksPerBeat: ticksPerStep * stepsPerBeat } as const;
  return Uint8Array.from(writeMidi({ header, tracks: [track] }));
}

function checkedOptions(options: MidiOptions) {
  const known = Object.keys(schema.shape);
  checkOptions("encodeMidi", options, known);
  const { data, error } = schema.safeParse(options);
  if (data !== undefined) return data;
  const [{ path, message }] = error.issues as [z.core.$ZodIssue];
  throw new RangeError(
    `encodeMidi: ${path.length > 0 ? path.join(".") : "options"}: ${message}. It takes ${known.join(", ")}`,
  );
}

function checkedSteps(steps: readonly (readonly number[])[]): ReadonlySet<number>[] {
  if (!Array.isArray(steps) || steps.length === 0) {
    throw new TypeError(
      "encodeMidi: steps must be an array of at least one time step, each an array of pitches",
    );
  }
  return Array.from(steps, (chord, step) => {
    if (!Array.isArray(chord)) {
      throw new TypeError(
        `encodeMidi: step ${step} must be an array of pitches, got ${typeof chord}; a rest is []`,
      );
    }
    for (const pitch of chord) {
      if (Number.isInteger(pitch) && pitch >= 0 && pitch <= 127) continue;
      throw new RangeError(
        `encodeMidi: step ${step}: a pitch must be a whole number from 0 to 127, got ${typeof pitch === "number" ? pitch : `a ${typeof pitch}`}; 60 is the middle C`,
      );
    }
    return new Set(chord);
  });
}
