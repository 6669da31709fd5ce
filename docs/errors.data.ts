import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The sentences of one package, by the function that says them. */
interface Group {
  readonly name: string;
  readonly sentences: { readonly from: string; readonly kind: string; readonly text: string }[];
}

declare const data: Group[];

export { data };

const packages = new URL("../packages/", import.meta.url);
/** An error as Vitest writes it into a snapshot, in a test file or beside it. */
const snapshot = /`\n?\s*"?\[?(\w*Error): ((?:[^`\\]|\\.)+?)\]?"?\s*`/g;

function sentencesOf(name: string): Group["sentences"] {
  const folder = new URL(`${name}/tests/`, packages);
  const found = new Map<string, Group["sentences"][number]>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!/\.(ts|snap)$/.test(path)) continue;
    for (const [, kind, written] of readFileSync(new URL(path, folder), "utf8").matchAll(
      snapshot,
    )) {
      const text = written!.replaceAll(/\\(.)/g, "$1");
      const [from] = /^[\w. ]+(?=: )/.exec(text) ?? [""];
      found.set(text, { from, kind: kind!, text: text.slice(from === "" ? 0 : from.length + 2) });
    }
  }
  return [...found.values()].sort(
    (a, b) => a.from.localeCompare(b.from) || a.text.localeCompare(b.text),
  );
}

export default {
  watch: ["../packages/*/tests/**/*"],
  load(): Group[] {
    const groups = ["autodiff", "nn", "rnn"].map((name) => ({
      name,
      sentences: sentencesOf(name),
    }));
    if (groups.some(({ sentences }) => sentences.length < 10)) {
      throw new Error(
        `errors.data: expected snapshots of errors in the tests of every package of ${fileURLToPath(packages)}`,
      );
    }
    return groups;
  },
};
