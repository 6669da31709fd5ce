// The report of a run: what it learnt, what it attends to, and where it is wrong.
import * as Plot from "@observablehq/plot";
import { figure, page, table } from "chronograd/report";
import type { RunFolder } from "chronograd/run";
import type { Entry } from "./dictionary.ts";
import type { Params, Speller } from "./model.ts";
import { attentionOf, attentionPicture } from "./picture.ts";
import { type Errors, errorsOf, transcribe } from "./transcribe.ts";

/** What an epoch came to, on the validation words. */
export interface Epoch extends Errors {
  readonly epoch: number;
  readonly loss: number;
}

/** What there is to report. */
export interface Outcome {
  readonly run: RunFolder;
  readonly seed: number;
  readonly width: number;
  /** Of training. */
  readonly seconds: number;
  readonly curve: readonly Epoch[];
  /** Of baselines and of the speller, by name. */
  readonly errors: Readonly<Record<string, Errors>>;
  readonly model: Speller;
  readonly params: Params;
  readonly test: readonly Entry[];
  readonly phonemes: readonly string[];
}

/** A share in percent. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Writes `attention.svg` and `report.html` into the run folder. */
export async function report({ run, model, params, ...outcome }: Outcome): Promise<void> {
  const { seed, width, seconds, curve, errors, test, phonemes } = outcome;
  const spelt = (word: string) => {
    const codes = transcribe(model, params, [word], width)[0]!;
    const said = codes.map((code) => phonemes[code]!);
    return { word, phonemes: said, weights: attentionOf(model, params, word, codes) };
  };
  // Words that the training never saw, as different as they come.
  const some = test.filter(({ word }) => word.length >= 5 && word.length <= 9).slice(0, 40);
  const words = some.map(({ word }) => spelt(word));
  const picture = attentionPicture(words.slice(0, 4));
  await run.write("attention.svg", picture);
  const rows = some.map((entry, i) => {
    const said = words[i]!.phonemes;
    const isRight = errorsOf([entry], [said]).words === 0;
    const listed = entry.pronunciations.map((one) => one.join(" ")).join(", or ");
    return [entry.word, said.join(" "), isRight ? "" : listed];
  });
  const facts = [
    `seed ${seed}, ${seconds.toFixed(0)} s of training`,
    ...Object.entries(errors).map(
      ([name, by]) =>
        `${name}: ${percent(by.phonemes)} of phonemes wrong, ${percent(by.words)} of words`,
    ),
  ];
  const sections = [
    {
      heading: "What it attends to",
      note: "Held-out words: each row is a phoneme, each column a letter.",
      html: picture,
    },
    {
      heading: "Learning",
      note: "Wrong phonemes of the validation words after each epoch, without a beam.",
      html: figure({
        x: { ticks: curve.map(({ epoch }) => epoch), tickFormat: "d" },
        y: { label: "wrong phonemes (%)", grid: true, zero: true },
        marks: [
          Plot.lineY(curve, { x: "epoch", y: ({ phonemes }) => 100 * phonemes, marker: true }),
        ],
      }),
    },
    {
      heading: "Held-out words",
      note: "What it says, and what is right where it is wrong.",
      html: table(["word", "said", "right"], rows),
    },
  ];
  await run.write("report.html", page({ title: "Spelling to sound", facts, sections }));
}
