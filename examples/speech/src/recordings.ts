import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "chronograd/command";
import { mixed, readWav, resampled } from "chronograd/data";

/** Samples a second: the rate of the set. */
export const rate = 8000;

/** A spoken digit. */
export interface Recording {
  readonly digit: number;
  readonly speaker: string;
  /** Which of the recordings of this digit by this speaker. */
  readonly take: number;
  readonly samples: Float32Array;
}

/** Any WAV file as one channel of `rate`. */
export function readSpeech(path: string): Float32Array {
  const audio = readWav(path);
  return resampled(mixed(audio), audio.rate, rate);
}

/** The recordings of the Free Spoken Digit Dataset: `7_jackson_32.wav` is a 7, said by jackson. */
export function readRecordings(folder: string): Recording[] {
  const inside = join(folder, "recordings");
  const from = existsSync(inside) ? inside : folder;
  const names = existsSync(from) ? readdirSync(from).sort() : [];
  const recordings = names.flatMap((name) => {
    const [, digit, speaker, take] = /^(\d)_(\w+)_(\d+)\.wav$/.exec(name) ?? [];
    if (digit === undefined || speaker === undefined) return [];
    const samples = readSpeech(join(from, name));
    return [{ digit: Number(digit), speaker, take: Number(take), samples }];
  });
  if (recordings.length > 0) return recordings;
  throw new UsageError(
    `${folder} has no recordings such as 7_jackson_32.wav; get the Free Spoken Digit Dataset with git clone https://github.com/Jakobovski/free-spoken-digit-dataset and give --data free-spoken-digit-dataset, or try --smoke`,
  );
}
