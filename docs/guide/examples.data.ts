import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createMarkdownRenderer } from "vitepress";

/** One example, as its README and the table of all examples have it. */
interface Example {
  readonly name: string;
  readonly title: string;
  /** What it is, as HTML. */
  readonly about: string;
  /** What its picture shows. */
  readonly caption: string;
  /** Its lines of the table, without its name. */
  readonly rows: readonly (readonly string[])[];
}

/** What the page shows. */
export interface Examples {
  readonly heads: readonly string[];
  readonly examples: readonly Example[];
  /** When, and with what, the table was made. */
  readonly note: string;
}

declare const data: Examples;

export { data };

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));
const read = (path: string): string => readFileSync(`${folder}${path}`, "utf8");

/** The only match of a pattern in a file. */
function match(path: string, pattern: RegExp): string[] {
  const found = pattern.exec(read(path));
  if (found === null) throw new Error(`examples: ${path} has nothing like ${pattern}`);
  return found.slice(1);
}

export default {
  watch: [`${folder}README.md`, `${folder}*/README.md`],
  async load(): Promise<Examples> {
    const renderer = await createMarkdownRenderer(folder);
    const parts = /<!-- table -->\n+((?:\|.*\n)+)\n+([\s\S]*?)\n+<!-- \/table -->/;
    const [table, note] = match("README.md", parts) as [string, string];
    const [[, ...heads], , ...rows] = table
      .trim()
      .split("\n")
      .map((line) => line.slice(2, -2).split(" | ")) as [string[], string[], ...string[][]];
    const names = [...new Set(rows.map(([link = ""]) => /^\[(\w+)\]/.exec(link)?.[1] ?? link))];
    const examples = names.map((name) => {
      const path = `${name}/README.md`;
      const [title, about] = match(path, /^# (.*)\n+([\s\S]*?)\n+(?:```|!\[)/) as [string, string];
      const [caption] = match(path, /!\[(.*)\]\(picture\.svg\)/) as [string];
      const own = rows.filter(([link]) => link!.startsWith(`[${name}]`));
      return {
        ...{ name, title, caption, about: renderer.render(about) },
        rows: own.map(([, ...cells]) => cells),
      };
    });
    return { heads, examples, note };
  },
};
