// A speller without a network: each letter says what it said most often in its surroundings.
import { lettersOf } from "./batch.ts";
import type { Dictionary, Entry } from "./dictionary.ts";
import { type Errors, errorsOf } from "./transcribe.ts";

/**
 * What a letter says: no phoneme, one, or two, as one number, `p + 1` or `(p + 1) base + q + 1` by
 * their codes.
 */
type Said = number;

const base = 64;
const kinds = base * base;

/** What the phonemes `from` to `end - 1` are as one. */
function saidOf(codes: readonly number[], from: number, end: number): Said {
  let said = 0;
  for (let j = from; j < end; j++) said = said * base + codes[j]! + 1;
  return said;
}

/**
 * What each letter of a word says, so that all together say its phonemes: the cheapest path from
 * the first letter to the last (Viterbi 1967). `costs[letter * kinds + said]`.
 */
function aligned(
  letters: readonly number[],
  codes: readonly number[],
  costs: Float64Array,
): Said[] {
  const columns = codes.length + 1;
  let before = Float64Array.from({ length: columns }, (_, j) => (j === 0 ? 0 : Infinity));
  const taken: Uint8Array[] = [];
  for (const letter of letters) {
    const next = new Float64Array(columns).fill(Infinity);
    const counts = new Uint8Array(columns);
    for (let end = 0; end < columns; end++) {
      for (let count = 0; count <= 2 && count <= end; count++) {
        const said = saidOf(codes, end - count, end);
        const sum = before[end - count]! + costs[letter * kinds + said]!;
        if (sum >= next[end]!) continue;
        next[end] = sum;
        counts[end] = count;
      }
    }
    before = next;
    taken.push(counts);
  }
  const path: Said[] = [];
  let end = columns - 1;
  for (const counts of taken.reverse()) {
    path.unshift(saidOf(codes, end - counts[end]!, end));
    end -= counts[end]!;
  }
  return path;
}

/** Negative logarithms of how often each letter says each thing; what is new, a hundredth time. */
function costsOf(counts: Float64Array): Float64Array<ArrayBuffer> {
  const costs = new Float64Array(counts.length);
  for (let from = 0; from < counts.length; from += kinds) {
    const own = counts.subarray(from, from + kinds);
    const sum = own.reduce((a, b) => a + b, 1);
    own.forEach((count, said) => {
      costs[from + said] = -Math.log(Math.max(count, 0.01) / sum);
    });
  }
  return costs;
}

/** The letters around a letter, so many on each side; what lies outside of the word is a dot. */
function around(word: string, i: number, reach: number): string {
  const dots = "...";
  const before = dots.slice(0, Math.max(0, reach - i));
  const after = dots.slice(0, Math.max(0, i + reach + 1 - word.length));
  return before + word.slice(Math.max(0, i - reach), i + reach + 1) + after;
}

/**
 * Aligns words with their phonemes letter by letter, counts what letters say, and spells new words
 * by the widest surroundings that were seen, up to `reach` letters on each side, at most three.
 *
 * Alignments and counts find each other in three rounds (Viterbi training), from a start at which
 * to say one phoneme costs least.
 */
export function countingSpeller(
  entries: readonly Entry[],
  phonemes: readonly string[],
  reach: number,
): (word: string) => string[] {
  const codeOf = new Map(phonemes.map((phoneme, code) => [phoneme, code]));
  const pairs = entries
    .map(({ word, pronunciations: [usual] }) => ({
      word,
      letters: lettersOf(word),
      codes: usual!.map((phoneme) => codeOf.get(phoneme)!),
    }))
    // Words with more than two phonemes for each letter are spelt out: they have no alignment.
    .filter(({ letters, codes }) => codes.length <= 2 * letters.length);
  let costs = Float64Array.from({ length: 26 * kinds }, (_, i) =>
    Math.abs((i % kinds === 0 ? 0 : i % kinds < base ? 1 : 2) - 1),
  );
  for (let round = 0; round < 3; round++) {
    const counts = new Float64Array(26 * kinds);
    for (const { letters, codes } of pairs) {
      const path = aligned(letters, codes, costs);
      for (const [i, said] of path.entries()) counts[letters[i]! * kinds + said]!++;
    }
    costs = costsOf(counts);
  }
  const seen = new Map<string, Map<Said, number>>();
  for (const { word, letters, codes } of pairs) {
    for (const [i, said] of aligned(letters, codes, costs).entries()) {
      for (let k = 0; k <= reach; k++) {
        const place = around(word, i, k);
        const own = seen.get(place) ?? new Map<Said, number>();
        seen.set(place, own.set(said, (own.get(said) ?? 0) + 1));
      }
    }
  }
  const usual = new Map(
    Array.from(seen, ([place, own]) => [
      place,
      [...own].reduce((a, b) => (b[1] > a[1] ? b : a))[0],
    ]),
  );
  return (word) =>
    Array.from(word).flatMap((_, i) => {
      const places = Array.from({ length: reach + 1 }, (_, k) => around(word, i, reach - k));
      const said =
        places.map((place) => usual.get(place)).find((found) => found !== undefined) ?? 0;
      const codes = said === 0 ? [] : said < base ? [said] : [Math.floor(said / base), said % base];
      return codes.map((code) => phonemes[code - 1]!);
    });
}

/** What counting comes to on the test words: each letter alone, and with three on each side. */
export function baselinesOf({ training, test, phonemes }: Dictionary): Record<string, Errors> {
  const judgedWith = (reach: number) => {
    const spell = countingSpeller(training, phonemes, reach);
    return errorsOf(
      test,
      test.map(({ word }) => spell(word)),
    );
  };
  return { "letter by letter": judgedWith(0), "letters in context": judgedWith(3) };
}
