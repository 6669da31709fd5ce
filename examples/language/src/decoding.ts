import { rng } from "@chronograd/nn";
import { continuations, generate } from "@chronograd/rnn/decode";
import { escapeHtml, type Section } from "chronograd/report";
import { type Corpus, encode } from "chronograd/text";
import type { Trained } from "chronograd/training";

/** How a text goes on after a prompt, by every way to decode. */
const ways = {
  "temperature 0": { temperature: 0 },
  "temperature 0.5": { temperature: 0.5 },
  "temperature 1": { temperature: 1 },
  "nucleus 0.9": { nucleus: 0.9 },
  "top 5": { topK: 5 },
} as const;

/** What to write, and how much of it. */
export interface Writing {
  readonly prompts: readonly string[];
  readonly length: number;
  /** The character at which a searched text is complete. */
  readonly end?: string | undefined;
  readonly seed: number;
}

/** What a model writes: by sampling, and by beam search. */
export function decoded(
  { model, params }: Trained,
  { characters }: Corpus,
  { prompts, length, end, seed }: Writing,
): Section[] {
  const textOf = (codes: Iterable<number>) => Array.from(codes, (c) => characters[c]!).join("");
  const unknown = (character: string) => `the text has no ${JSON.stringify(character)}`;
  return prompts.map((text) => {
    const prompt = encode([...text], characters, unknown);
    const lines = Object.entries(ways).map(([way, how]): [string, string[]] => {
      const random = rng(seed, `${text} ${way}`);
      const codes = generate(model as never, params, { prompt, length, rng: random, ...how });
      return [way, [`${text}${textOf([...codes].flat())}`]];
    });
    const stop = end === undefined ? {} : { end: characters.indexOf(end) };
    const search = { prompt, length: Math.min(length, 60), width: 8, ...stop };
    const found = continuations(model as never, params, search).map(
      ({ tokens, logProbability }) => {
        return `${text}${textOf(tokens)}  (${Math.exp(logProbability).toPrecision(2)})`;
      },
    );
    lines.push(["beam search, with probabilities", end === undefined ? found.slice(0, 1) : found]);
    const shown = ([way, texts]: readonly [string, readonly string[]]) =>
      `<dt>${way}</dt><dd><pre>${texts.map((each) => escapeHtml(each.trim())).join("\n")}</pre></dd>`;
    return { heading: `After "${text.trim()}"`, html: `<dl>${lines.map(shown).join("")}</dl>` };
  });
}
