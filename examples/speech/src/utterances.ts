import type { Rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { stepsOf } from "./features.ts";
import type { Example } from "./model.ts";
import { type Recording, rate } from "./recordings.ts";

/** Digits that one speaker says one after the other. */
export interface Utterance {
  readonly digits: readonly number[];
  readonly samples: Float32Array;
}

/** How recordings become utterances. */
export interface Joining {
  /** How many digits an utterance has. */
  readonly least: number;
  readonly most: number;
  /** The longest silence before, between and behind them, in seconds. */
  readonly pause: number;
}

/** Recordings of one speaker with silences before, between and behind, and some noise. */
function joined(parts: readonly Recording[], pause: number, random: Rng): Utterance {
  const gap = () => new Float32Array(random.integer(0, pause * rate));
  const pieces = [gap(), ...parts.flatMap(({ samples }) => [samples, gap()])];
  const samples = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  const level = 10 ** (-4 + 1.5 * random.uniform());
  const noise = samples.map((value) => value + level * random.normal());
  return { digits: parts.map(({ digit }) => digit), samples: noise };
}

/** All recordings once, joined to utterances of `least` to `most` digits. */
export function utterances(
  recordings: readonly Recording[],
  { least, most, pause }: Joining,
  random: Rng,
): Utterance[] {
  const speakers = Map.groupBy(recordings, ({ speaker }) => speaker);
  return [...speakers.values()].flatMap((own) => {
    const [order] = batches(own, { size: own.length, rng: random });
    const found: Utterance[] = [];
    for (let at = 0; at < own.length; ) {
      const count = random.integer(least, most + 1);
      found.push(joined(order!.slice(at, at + count), pause, random));
      at += count;
    }
    return found;
  });
}

/** What the network sees of an utterance. */
export const exampleOf = ({ digits, samples }: Utterance): Example => ({
  digits,
  steps: stepsOf(samples),
});
