// Makes a test of every TypeScript block in the guides, the README and the docstrings: each runs, is type-checked,
// and every `expression; // => value` in it is an assertion.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Every file below a folder that ends in `extension`. */
function below(folder, extension) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(extension) && !/node_modules|\.vitepress|\/reference\//.test(path));
}

const sources = [
  "README.md",
  "CONTRIBUTING.md",
  "ARCHITECTURE.md",
  ...below("docs", ".md"),
  ...["autodiff", "nn", "rnn"].flatMap((name) => below(`packages/${name}/src`, ".ts")),
].filter(existsSync);

/** The text of a file as Markdown: of a source file, its docstrings, line for line. */
function markdown(path, text) {
  if (path.endsWith(".md")) return text;
  return text.replace(/^(?!\s*\*).*$/gm, "").replace(/^\s*\* ?/gm, "");
}

/** A block with its `// =>` comments as assertions, and its imports above the test. */
function testOf(block, path, line) {
  const imports = [];
  const body = block
    .replace(/^import [^;]+;\n?/gm, (statement) => {
      imports.push(statement.trim());
      return "";
    })
    .replace(/^(\s*)(?:const (\w+) = )?(.+?);? *\/\/ => (.+)$/gm, (_, indent, name, expression, value) =>
      name === undefined
        ? `${indent}expect(${expression}).toEqual(${value});`
        : `${indent}const ${name} = ${expression};\n${indent}expect(${name}).toEqual(${value});`,
    );
  return `import { expect, test } from "vitest";\n${imports.join("\n")}\n\ntest("${path}:${line}", async () => {\n${body}\n});\n`;
}

rmSync(".snippets", { recursive: true, force: true });
mkdirSync(".snippets");
let count = 0;
for (const path of sources) {
  const text = markdown(path, readFileSync(path, "utf8"));
  for (const match of text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
    const line = text.slice(0, match.index).split("\n").length;
    const name = `${path.replace(/[^\w]+/g, "-")}-${line}.test.ts`;
    writeFileSync(`.snippets/${name}`, testOf(match[1], path, line));
    count++;
  }
}
console.log(`${count} snippets`);
