/** What `JSON.parse` does not tell of a text: the order of its keys, and that one stands twice. */
export interface Keys {
  /** Of the outermost object, as they stand in the text. */
  readonly outermost: readonly string[];
  /** The first key that stands twice in one object. */
  readonly twice: string | undefined;
}

/**
 * The keys of a JSON text: an object of JavaScript moves those that look like numbers to its front
 * and passes over doubles in silence.
 *
 * @param text valid JSON
 */
export function keysOf(text: string): Keys {
  const outermost = new Set<string>();
  // One set of keys for each object that is open; arrays have none.
  const open: (Set<string> | undefined)[] = [];
  // Not by a regular expression: it would need stack for each letter of a long string.
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (mark === "{") open.push(open.length === 0 ? outermost : new Set());
    else if (mark === "[") open.push(undefined);
    else if (mark === "}" || mark === "]") open.pop();
    else if (mark === '"') {
      const start = at;
      at = endOfString(text, start);
      if (!isBeforeColon(text, at)) continue;
      const key = JSON.parse(text.slice(start, at + 1)) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return { outermost: [...outermost], twice: key };
      keys.add(key);
    }
  }
  return { outermost: [...outermost], twice: undefined };
}

const [quote, backslash, colon, space] = [0x22, 0x5c, 0x3a, 0x20];

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

/** Whether a colon follows, so that the string that ends here is a key. */
function isBeforeColon(text: string, end: number): boolean {
  let at = end + 1;
  // All white space that JSON has is at most a space.
  while (text.charCodeAt(at) <= space) at++;
  return text.charCodeAt(at) === colon;
}
