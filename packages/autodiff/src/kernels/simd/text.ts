/**
 * Characters that stand in a JavaScript string as they are, whatever its quotes, and in a page's
 * script.
 */
export const digits =
  " !#%&()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";

/**
 * Digits that stand for themselves; the others say which run of as many bytes the digit behind them
 * counts in.
 */
export const plainDigits: number = digits.length - 3;
/** The byte that the first digit stands for: those around zero are most of a WebAssembly module. */
export const firstByte = 240;

/**
 * The bytes that a text stands for. Most are one character each, so that a server's compression
 * finds in the text what it would find in the module; in base64 a pattern of bytes has three forms,
 * and in a text of compressed bytes none.
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  // All that the loop touches is local: it runs once, mostly before it is compiled.
  const [runs, first] = [plainDigits, firstByte];
  const values = new Uint8Array(128);
  for (let i = 0; i < digits.length; i++) values[digits.charCodeAt(i)] = i;
  const bytes = new TextEncoder().encode(text);
  const { length } = bytes;
  let size = 0;
  for (let i = 0; i < length; ) {
    let value = values[bytes[i++]!]!;
    if (value >= runs) value = (value - runs + 1) * runs + values[bytes[i++]!]!;
    bytes[size++] = value + first;
  }
  return bytes.slice(0, size);
}
