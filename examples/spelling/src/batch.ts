// Words as tensors of codes, and codes as words.
import { padded } from "@chronograd/nn/data";
import type { Entry } from "./dictionary.ts";
import type { Batch } from "./model.ts";

/** The codes of the letters of a word, 0 for A. */
export const lettersOf = (word: string): number[] =>
  Array.from(word, (letter) => letter.charCodeAt(0) - 65);

/** A batch of words and their usual pronunciations, between boundaries, as codes. */
export function batchOf(entries: readonly Entry[], phonemes: readonly string[]): Batch {
  const codes = new Map(phonemes.map((phoneme, code) => [phoneme, code]));
  const spoken = entries.map(({ pronunciations: [usual] }) =>
    usual!.map((phoneme) => codes.get(phoneme)!),
  );
  const letters = padded(entries.map(({ word }) => lettersOf(word)));
  const before = padded(spoken.map((word) => [phonemes.length, ...word]));
  const after = padded(
    spoken.map((word) => [...word, phonemes.length]),
    // What crossEntropy leaves out.
    { fill: -100 },
  );
  return {
    letters: letters.values,
    letterCounts: letters.lengths,
    inputs: before.values,
    targets: after.values,
    lengths: before.lengths,
  };
}
