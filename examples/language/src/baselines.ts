import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { bitsPerSymbol } from "@chronograd/nn/metrics";
import { type Corpus, nGram } from "chronograd/text";

/** How many characters the n-gram model counts. */
const order = 6;

/** Bits per character of the held-out text for what is no network. */
export function baselines({ training, heldOut, characters }: Corpus): Record<string, number> {
  const textOf = (codes: Int32Array) =>
    Buffer.from(Array.from(codes, (code) => characters[code]!).join(""));
  const seen = textOf(training);
  const both = Buffer.concat([seen, textOf(heldOut)]);
  /** What the held-out text adds to the length of the compressed training text. */
  const added = (compress: (text: Buffer) => Buffer) =>
    (8 * (compress(both).length - compress(seen).length)) / heldOut.length;
  const model = nGram(training, { order, symbols: characters.length });
  return {
    [`${order}-gram, Kneser-Ney`]: bitsPerSymbol(model.losses(heldOut)),
    brotli: added((text) =>
      brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }),
    ),
    gzip: added((text) => gzipSync(text, { level: 9 })),
  };
}
