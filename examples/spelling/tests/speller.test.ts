import { Tape, type Tensor } from "@chronograd/autodiff";
import { crossEntropy } from "@chronograd/nn";
import { expect, test } from "vitest";
import { countingSpeller } from "../src/baseline.ts";
import { batchOf } from "../src/batch.ts";
import { ruledDictionary } from "../src/dictionary.ts";
import { type Params, speller } from "../src/model.ts";
import { errorsOf, transcribe } from "../src/transcribe.ts";

const phonemes = ["AA", "B", "K", "S"];
const model = speller({ phonemes: phonemes.length, hidden: 8, dropout: 0 });
const params = model.initial(1);
const entries = [
  { word: "CAB", pronunciations: [["K", "AA", "B"]] },
  { word: "CABBASSA", pronunciations: [["K", "AA", "B", "AA", "S", "AA"]] },
  { word: "A", pronunciations: [["AA"]] },
];

function scoresOf(p: Params, words: typeof entries): Tensor {
  const batch = batchOf(words, phonemes);
  return model.decode(p, model.encode(p, batch.letters, batch.letterCounts), batch.inputs).logits;
}

test("a word in a batch is what it is alone", () => {
  const all = scoresOf(params, entries);
  for (const [row, entry] of entries.entries()) {
    const alone = scoresOf(params, [entry]);
    const T = entry.pronunciations[0]!.length + 1;
    const off = all
      .slice([[0, T], row])
      .sub(alone.slice([[0, T], 0]))
      .abs()
      .max()
      .item();
    expect(off).toBeLessThan(1e-5);
  }
});

test("a search step by step gives the scores of the whole", () => {
  const { letters, letterCounts, inputs } = batchOf(entries, phonemes);
  const context = model.encode(params, letters, letterCounts);
  const whole = model.decode(params, context, inputs).logits;
  let state = model.start(3);
  for (let t = 0; t < inputs.shape[0]!; t++) {
    const [logits, next] = model.step(params, inputs.slice([t]), state, context);
    state = next;
    expect(
      logits
        .sub(whole.slice([t]))
        .abs()
        .max()
        .item(),
    ).toBeLessThan(1e-5);
  }
  const words = entries.map(({ word }) => word);
  const [all, ...alone] = [words, ...words.map((word) => [word])].map((some) =>
    transcribe(model, params, some, 3),
  );
  expect(alone.flat()).toEqual(all);
});

test("every parameter has a gradient", () => {
  const tape = new Tape();
  const watched = tape.watch(params);
  const loss = crossEntropy(scoresOf(watched, entries), batchOf(entries, phonemes).targets);
  const { convolution, letter, decoder } = tape.gradient(loss, watched);
  for (const g of [convolution.W, convolution.b, letter.table, decoder.Wa]) {
    expect(g.abs().max().item()).toBeGreaterThan(0);
  }
});

test("errors are counted beside the nearest pronunciation", () => {
  const two = {
    word: "READ",
    pronunciations: [
      ["R", "EH", "D"],
      ["R", "IY", "D"],
    ],
  };
  expect(errorsOf([two], [["R", "IY", "D"]])).toEqual({ phonemes: 0, words: 0 });
  // One of three, and two of four: three of seven phonemes, two of two words.
  const long = { word: "REEDY", pronunciations: [["R", "IY", "D", "IY"]] };
  const said = [
    ["R", "IY"],
    ["R", "AY", "D", "IY", "Z"],
  ];
  expect(errorsOf([two, long], said)).toEqual({ phonemes: 3 / 7, words: 1 });
});

test("counting in context finds rules that reach three letters", () => {
  const { training, test: words, phonemes: all } = ruledDictionary(3);
  const spell = countingSpeller(training, all, 3);
  const judged = errorsOf(
    words,
    words.map(({ word }) => spell(word)),
  );
  expect(judged.phonemes).toBeLessThan(0.05);
  expect(countingSpeller([entries[0]!, entries[2]!], phonemes, 0)("BACCA")).toEqual([
    "B",
    "AA",
    "K",
    "K",
    "AA",
  ]);
});

test("words are divided by the seed, and no word is on two sides", () => {
  const { training, validation, test: judged } = ruledDictionary(1);
  const words = [training, validation, judged].flat().map(({ word }) => word);
  expect(new Set(words).size).toBe(words.length);
  expect([training.length, validation.length, judged.length]).toEqual([500, 50, 50]);
  expect(ruledDictionary(1).test).toEqual(judged);
  expect(ruledDictionary(2).test).not.toEqual(judged);
});
