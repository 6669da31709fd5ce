// Words to phonemes by a trained speller, and how wrong they are.
import { scope } from "@chronograd/autodiff";
import { batches, padded } from "@chronograd/nn/data";
import { editDistance } from "@chronograd/nn/metrics";
import { beamSearch } from "@chronograd/rnn/decode";
import { lettersOf } from "./batch.ts";
import type { Entry } from "./dictionary.ts";
import type { Params, Speller } from "./model.ts";

/** The codes of the phonemes of words, by a beam search of this width. */
export function transcribe(
  model: Speller,
  params: Params,
  words: readonly string[],
  width: number,
): number[][] {
  const found = new Map<string, readonly number[]>();
  for (const some of batches(words, { size: 250, length: (word) => word.length })) {
    const { values, lengths } = padded(some.map(lettersOf));
    scope(() => {
      const best = beamSearch({
        step: (tokens, state, context) => model.step(params, tokens, state, context),
        state: model.start(some.length),
        context: model.encode(params, values, lengths),
        start: model.boundary,
        end: model.boundary,
        width,
        maxLength: 2 * Math.max(...lengths) + 4,
      });
      for (const [row, word] of some.entries()) found.set(word, best[row]![0]!.tokens);
    });
  }
  return words.map((word) => [...found.get(word)!]);
}

/** Shares of wrong phonemes and of wrong words. */
export interface Errors {
  readonly phonemes: number;
  readonly words: number;
}

/**
 * Each transcription beside the nearest of the word's pronunciations, as is usual for words that
 * have several: the sum of the edit distances by that of the lengths, and the share of words that
 * are not all right.
 */
export function errorsOf(
  entries: readonly Entry[],
  transcriptions: readonly (readonly string[])[],
): Errors {
  let [errors, phonemes, words] = [0, 0, 0];
  for (const [i, { pronunciations }] of entries.entries()) {
    const all = pronunciations.map((right) => {
      const distance = editDistance(transcriptions[i]!, right);
      return { distance, length: right.length };
    });
    const nearest = all.reduce((a, b) => (b.distance / b.length < a.distance / a.length ? b : a));
    errors += nearest.distance;
    phonemes += nearest.length;
    if (nearest.distance > 0) words++;
  }
  return { phonemes: errors / phonemes, words: words / entries.length };
}

/** The errors of a speller on words, with a beam of this width. */
export function judged(
  model: Speller,
  params: Params,
  entries: readonly Entry[],
  phonemes: readonly string[],
  width: number,
): Errors {
  const words = entries.map(({ word }) => word);
  const codes = transcribe(model, params, words, width);
  return errorsOf(
    entries,
    codes.map((one) => one.map((code) => phonemes[code]!)),
  );
}
