import type { Transport } from "./transport.ts";

/** Letters of what a worker came with that others get to see when they came with something else. */
const longestText = 2 ** 15;

const rule =
  "every worker must call the same collectives, in the same order, with trees of the same structure, shapes and dtypes";

/**
 * Throws on every worker, with the first difference, unless all came for the same: a collective,
 * and lines about a tree.
 */
export function agree(transport: Transport, what: string, lines: readonly string[]): void {
  const text = [what, ...lines].join("\n");
  const own = hash(text);
  new Int32Array(transport.message.buffer, transport.message.byteOffset, 2).set(own);
  const isOwn = ({ buffer, byteOffset }: Uint8Array) => {
    const [a, b] = new Int32Array(buffer, byteOffset, 2);
    return a === own[0] && b === own[1];
  };
  if (!transport.allGather(8, what).every(isOwn)) {
    throw new TypeError(`${what}: ${difference(exchanged(transport, text, what))}`);
  }
}

/** Every worker's text, as far as a message holds it. */
function exchanged(transport: Transport, text: string, what: string): string[] {
  const { message, messageBytes } = transport;
  const most = Math.min(messageBytes / 2 - 1, longestText);
  const codes = Uint16Array.from(text.slice(0, most), (letter) => letter.charCodeAt(0));
  new Uint16Array(message.buffer, message.byteOffset, 1 + codes.length).set([
    codes.length,
    ...codes,
  ]);
  return transport.allGather(2 * (1 + most), what).map(({ buffer, byteOffset }) => {
    const [length] = new Uint16Array(buffer, byteOffset, 1);
    return String.fromCharCode(...new Uint16Array(buffer, byteOffset + 2, length));
  });
}

/** In words, where the first worker that differs from worker 0 does. */
function difference(texts: readonly string[]): string {
  const other = texts.findIndex((text) => text !== texts[0]);
  if (other === -1) return `workers came with trees that differ late in their structure; ${rule}`;
  const [first, theirs] = [texts[0]!.split("\n"), texts[other]!.split("\n")];
  let line = 0;
  while (line < first.length && first[line] === theirs[line]) line++;
  const said = (lines: readonly string[]) =>
    line === 0 ? `${lines[0]}(...)` : (lines[line] ?? "nothing more");
  const verb = line === 0 ? "called" : "came with";
  // Trees of other kinds differ everywhere.
  const isAlike = line > 0 && placeIn(first[line]) === placeIn(theirs[line]);
  const more = isAlike ? Math.max(without(first, theirs), without(theirs, first)) - 1 : 0;
  const others =
    more === 0 ? "" : `, and they differ in ${more} more ${more === 1 ? "place" : "places"}`;
  return `worker 0 of ${texts.length} ${verb} ${said(first)} and worker ${other} ${verb} ${said(theirs)}${others}; ${rule}`;
}

/** Where in a tree a line is of: its path. */
function placeIn(line = ""): string {
  return line.slice(0, Math.max(0, line.lastIndexOf(": ")));
}

/** How many of some lines are not among others. */
function without(lines: readonly string[], others: readonly string[]): number {
  const found = new Set(others);
  return lines.filter((line) => !found.has(line)).length;
}

/** 64 bits of a text: FNV-1a (Fowler, Noll & Vo) with two primes. */
function hash(text: string): readonly [number, number] {
  let [a, b] = [0x811c9dc5, 0x050c5d1f];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995);
  }
  return [a | 0, b | 0];
}
