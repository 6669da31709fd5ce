import { readBytes } from "../command/readInput.ts";
import { type Audio, parseWav } from "./parseWav.ts";

/**
 * Reads a WAV file of any rate and number of channels: whole numbers of 8, 16, 24 or 32 bits, or
 * floats of 32 or 64.
 *
 * @throws `UsageError` for a file that is not there, is no WAV file, is cut off, or is compressed
 *
 * @example
 * ```ts
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readWav } from "chronograd/data";
 *
 * // Two samples of 8 bits, 8000 a second.
 * const path = join(mkdtempSync(join(tmpdir(), "wav-")), "two.wav");
 * const header = [36 + 2, 0x45564157, 0x20746d66, 16, 0x00010001, 8000, 8000, 0x00080001];
 * const words = Uint32Array.of(0x46464952, ...header, 0x61746164, 2);
 * writeFileSync(path, Buffer.concat([new Uint8Array(words.buffer), Buffer.of(128, 192)]));
 * const { rate, channels } = readWav(path);
 * [rate, channels.map((samples) => [...samples])]; // => [8000, [[0, 0.5]]]
 * ```
 */
export function readWav(path: string): Audio {
  return parseWav(readBytes(path, `readWav: cannot read ${path}`), path);
}
