// What the decoder attends to, as a picture.
import { scope } from "@chronograd/autodiff";
import { padded } from "@chronograd/nn/data";
import * as Plot from "@observablehq/plot";
import { figure } from "chronograd/report";
import { lettersOf } from "./batch.ts";
import type { Params, Speller } from "./model.ts";

/** A word, what the speller says, and for each phoneme how much it attends to each letter. */
export interface Spelt {
  readonly word: string;
  readonly phonemes: readonly string[];
  /** A row for each phoneme, a column for each letter. */
  readonly weights: readonly (readonly number[])[];
}

/** What the decoder attends to when it says the phonemes with these codes. */
export function attentionOf(
  model: Speller,
  params: Params,
  word: string,
  codes: readonly number[],
): number[][] {
  const weights = scope(() => {
    const { values, lengths } = padded([lettersOf(word)]);
    const inputs = padded([[model.boundary, ...codes]]).values;
    return model.decode(params, model.encode(params, values, lengths), inputs).weights;
  });
  const S = weights.shape[2]!;
  const all = weights.toTypedArray();
  return codes.map((_, t) => Array.from(all.subarray(t * S, t * S + word.length)));
}

/** Words side by side: letters along the top, phonemes down the side, dark where it attends. */
export function attentionPicture(words: readonly Spelt[]): string {
  const gap = 2.5;
  const cells: { x: number; y: number; weight: number }[] = [];
  const labels: { x: number; y: number; text: string }[] = [];
  let left = 0;
  for (const { word, phonemes, weights } of words) {
    for (const [i, text] of Array.from(word).entries()) labels.push({ x: left + i, y: -1, text });
    for (const [t, text] of phonemes.entries()) labels.push({ x: left - 1, y: t, text });
    for (const [y, row] of weights.entries()) {
      for (const [i, weight] of row.entries()) cells.push({ x: left + i, y, weight });
    }
    left += word.length + gap;
  }
  const rows = Math.max(...words.map(({ phonemes }) => phonemes.length));
  const square = 24;
  return figure({
    width: (left + 1) * square,
    height: (rows + 2) * square,
    ...{ marginLeft: 0, marginRight: 0, marginTop: 0, marginBottom: 0 },
    x: { axis: null, domain: [-1.75, left - gap + 0.5] },
    y: { axis: null, domain: [rows, -1.75] },
    color: { scheme: "blues", domain: [0, 1] },
    marks: [
      Plot.rect(cells, {
        x1: ({ x }) => x - 0.5,
        x2: ({ x }) => x + 0.5,
        y1: ({ y }) => y - 0.5,
        y2: ({ y }) => y + 0.5,
        fill: "weight",
        stroke: "#e7e5e4",
        strokeWidth: 0.5,
      }),
      Plot.text(labels, { x: "x", y: "y", text: "text", fontWeight: "bold" }),
    ],
  });
}

/** The same as lines of text: each phoneme beside the letters that it mostly comes from. */
export function attentionLines({ word, phonemes, weights }: Spelt): string[] {
  return phonemes.map((phoneme, t) => {
    const shades = weights[t]!.map((weight) => " ░▒▓█"[Math.round(4 * weight)]);
    return `${phoneme.padEnd(3)} ${shades.join("")}  ${Array.from(word, (letter, i) => (weights[t]![i]! >= 0.25 ? letter : "·")).join("")}`;
  });
}
