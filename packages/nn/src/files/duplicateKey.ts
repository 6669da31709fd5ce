/**
 * The first key that stands twice in one object of a JSON text, which `JSON.parse` passes over in silence.
 *
 * @param text valid JSON
 */
export function duplicateKey(text: string): string | undefined {
  // One set of keys for each object that is open; arrays have none.
  const open: (Set<string> | undefined)[] = [];
  // Strings, and the marks that open and close; a string with a colon after it is a key.
  const marks = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;
  for (const [mark, string, colon] of text.matchAll(marks)) {
    if (mark === "{") open.push(new Set());
    else if (mark === "[") open.push(undefined);
    else if (mark === "}" || mark === "]") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(string!) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
