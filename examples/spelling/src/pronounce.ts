// What a speller that was trained before says to any spelling.
import { type Io, RunError, UsageError } from "chronograd/command";
import { listRuns, readCheckpoint } from "chronograd/run";
import { type Params, type SpellerSizes, speller } from "./model.ts";
import { attentionLines, attentionOf } from "./picture.ts";
import { transcribe } from "./transcribe.ts";

/** What a run of this example keeps. */
interface Checkpoint {
  readonly params: Params;
  readonly sizes: SpellerSizes;
  readonly symbols: readonly string[];
}

/** Says how a word is pronounced, and from which letters each phoneme comes. */
export async function pronounce(
  given: string,
  { from, width }: { readonly from?: string | undefined; readonly width: number },
  io: Io,
): Promise<void> {
  const word = given.toUpperCase();
  if (!/^[A-Z]{1,40}$/.test(word)) {
    throw new UsageError(
      `--word must be 1 to 40 letters from A to Z, got ${JSON.stringify(given)}`,
    );
  }
  const last = listRuns("runs")
    .filter(({ run }) => run.kind === "spelling")
    .at(-1)?.path;
  const path = from ?? last;
  if (path === undefined) {
    throw new RunError("no speller was trained yet; npm run example spelling trains one");
  }
  const { params, sizes, symbols } = await readCheckpoint<Checkpoint>(path, "spelling");
  const model = speller(sizes);
  const codes = transcribe(model, params, [word], width)[0]!;
  const phonemes = codes.map((code) => symbols[code]!);
  const weights = attentionOf(model, params, word, codes);
  io.say(`${word}: ${phonemes.join(" ")}`);
  for (const line of attentionLines({ word, phonemes, weights })) io.say(line);
  io.result({ word, phonemes, weights, from: path });
}
