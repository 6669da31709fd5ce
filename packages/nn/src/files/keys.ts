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
  // Strings, and the marks that open and close; a string with a colon after it is a key.
  const marks = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;
  for (const [mark, string, colon] of text.matchAll(marks)) {
    if (mark === "{") open.push(open.length === 0 ? outermost : new Set());
    else if (mark === "[") open.push(undefined);
    else if (mark === "}" || mark === "]") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(string!) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return { outermost: [...outermost], twice: key };
      keys.add(key);
    }
  }
  return { outermost: [...outermost], twice: undefined };
}
