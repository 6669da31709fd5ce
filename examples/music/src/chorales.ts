import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Rng } from "@chronograd/nn";
import { UsageError } from "chronograd/command";
import * as z from "zod";

/** A chorale: for each quarter note the pitches that sound, as MIDI numbers. */
export type Chorale = readonly (readonly number[])[];

/** The three parts of the data, which share no chorale. */
export type Chorales = Readonly<Record<"train" | "valid" | "test", readonly Chorale[]>>;

/** The lowest key of a piano, and the number of its keys. */
export const [lowestKey, keys] = [21, 88];

const file = "jsb-chorales-quarter.json";
const chorales = z.array(z.array(z.array(z.int().min(21).max(108))).min(2)).min(1);
const schema = z.object({ train: chorales, valid: chorales, test: chorales });

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    context.addIssue((error as Error).message);
    return z.NEVER;
  }
});

/** Reads the chorales of a folder. */
export async function readChorales(folder: string): Promise<Chorales> {
  const path = join(folder, file);
  const text = await readFile(path, "utf8").catch(() => {
    throw new UsageError(
      `there is no ${path}; get it from https://github.com/czhuang/JSB-Chorales-dataset, and name its folder with --data`,
    );
  });
  const { data, error } = json.pipe(schema).safeParse(text);
  if (data !== undefined) return data;
  const [{ path: place, message }] = error.issues as [z.core.$ZodIssue];
  throw new UsageError([path, ...(place.length > 0 ? [place.join(".")] : []), message].join(": "));
}

/** Stand-ins of the smoke mode: a cadence of three chords in a random key, over and over. */
export function cadences(random: Rng): Chorales {
  const cadence = [
    [48, 64, 67, 72],
    [53, 65, 69, 72],
    [55, 62, 67, 71],
  ];
  const piece = (): Chorale => {
    const length = random.integer(8, 17);
    const song = Array.from({ length }, (_, t) => cadence[t % 3]!);
    return transposed(song, random.integer(-5, 7));
  };
  const pieces = (count: number) => Array.from({ length: count }, piece);
  return { train: pieces(32), valid: pieces(8), test: pieces(8) };
}

/** A chorale in another key, `by` semitones higher. */
export function transposed(chorale: Chorale, by: number): Chorale {
  return chorale.map((chord) => chord.map((pitch) => pitch + by));
}

/** A piano roll: for each step 88 numbers, 1 where a key sounds. */
export function rollOf(chorale: Chorale): Float32Array[] {
  return chorale.map((chord) => {
    const row = new Float32Array(keys);
    for (const pitch of chord) row[pitch - lowestKey] = 1;
    return row;
  });
}
