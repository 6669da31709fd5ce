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

/** What a model writes: by sampling, and by beam search. */
export function decoded(
  { model, params }: Trained,
  { characters }: Corpus,
  { prompts, length, seed }: { prompts: readonly string[]; length: number; seed: number },
): Section[] {
  const textOf = (codes: Iterable<number>) => Array.from(codes, (c) => characters[c]!).join("");
  const unknown = (character: string) => `the text has no ${JSON.stringify(character)}`;
  return prompts.map((text) => {
    const prompt = encode([...text], characters, unknown);
    const lines = Object.entries(ways).map(([way, how]) => {
      const random = rng(seed, `${text} ${way}`);
      const codes = generate(model as never, params, { prompt, length, rng: random, ...how });
      return [way, textOf([...codes].flat())] as const;
    });
    const search = { prompt, length: Math.min(length, 60), width: 8 };
    const [best] = continuations(model as never, params, search);
    lines.push(["beam search, width 8", textOf(best!.tokens)]);
    const shown = ([way, after]: readonly [string, string]) =>
      `<dt>${way}</dt><dd><pre><b>${escapeHtml(text)}</b>${escapeHtml(after)}</pre></dd>`;
    return { heading: `After "${text.trim()}"`, html: `<dl>${lines.map(shown).join("")}</dl>` };
  });
}
