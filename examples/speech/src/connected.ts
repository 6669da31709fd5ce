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

/** Recordings of one speaker with gaps of up to 0.4 s before, between and behind, and noise. */
function joined(parts: readonly Recording[], random: Rng): Utterance {
  const gap = () => new Float32Array(random.integer(0, 0.4 * rate));
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
  { least, most }: { readonly least: number; readonly most: number },
  random: Rng,
): Utterance[] {
  const speakers = Map.groupBy(recordings, ({ speaker }) => speaker);
  return [...speakers.values()].flatMap((own) => {
    const [order] = batches(own, { size: own.length, rng: random });
    const found: Utterance[] = [];
    for (let at = 0; at < own.length; ) {
      const count = random.integer(least, most + 1);
      found.push(joined(order!.slice(at, at + count), random));
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
