// Makes a test of every TypeScript block in the guides, the README and the docstrings: each runs
// and is type-checked. `expression; // => value` asserts a value, `expression; // =>` the text in
// the comment lines that follow it, and `statement; // throws: words` an error whose message has
// those words.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const folder = ".snippets";

/** Every file below a folder that ends in `extension`. */
function below(root, extension) {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true })
    .map((path) => `${root}/${path.replaceAll("\\", "/")}`)
    .filter(
      (path) => path.endsWith(extension) && !/node_modules|\.vitepress|\/reference\//.test(path),
    )
    .sort();
}

/** Files by the test that their blocks become. */
const sources = {
  docs: [
    ...["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].filter(existsSync),
    ...["autodiff", "nn", "rnn", "cli"].map((name) => `packages/${name}/README.md`),
    ...below("docs", ".md"),
  ],
  autodiff: below("packages/autodiff/src", ".ts"),
  nn: below("packages/nn/src", ".ts"),
  rnn: below("packages/rnn/src", ".ts"),
  cli: below("packages/cli/src", ".ts"),
};

/** The text of a file as Markdown: of a source file, its docstrings, line for line. */
function markdown(path, text) {
  if (path.endsWith(".md")) return text;
  return text.replace(/^(?![ \t]*\*).*$/gm, "").replace(/^[ \t]*\* ?/gm, "");
}

/**
 * A block as a module that exports it as a function: its comments are assertions, its imports stand
 * above.
 */
function moduleOf(block) {
  const imports = [];
  const body = block
    .replace(/^import [^;]+;\n?/gm, (statement) => {
      imports.push(statement.trim());
      return "";
    })
    .replace(/^(\s*)(.+?);? *\/\/ throws: (.+)$/gm, (_, indent, statement, words) => {
      return `${indent}expect(() => { ${statement}; }).toThrow(${JSON.stringify(words)});`;
    })
    .replace(/^(\s*)(.+?);? *\/\/ =>\n((?:\s*\/\/.*\n)+)/gm, (_, indent, expression, comment) => {
      const text = comment.trimEnd().replace(/^\s*\/\/ ?/gm, "");
      return `${indent}expect(${expression}).toEqual(${JSON.stringify(text)});\n`;
    })
    .replace(
      /^(\s*)(?:const (\w+) = )?(.+?);? *\/\/ => (.+)$/gm,
      (_, indent, name, expression, value) =>
        name === undefined
          ? `${indent}expect(${expression}).toEqual(${value});`
          : `${indent}const ${name} = ${expression};\n${indent}expect(${name}).toEqual(${value});`,
    );
  const isImported = imports.some((statement) => /\bexpect\b/.test(statement));
  const expects =
    /\bexpect\(/.test(body) && !isImported ? 'import { expect } from "vitest";\n' : "";
  return `${expects}${imports.join("\n")}\n\nexport default async (): Promise<void> => {\n${body}};\n`;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
let count = 0;
for (const [group, paths] of Object.entries(sources)) {
  const imports = [];
  const tests = [];
  for (const path of paths) {
    const text = markdown(path, readFileSync(path, "utf8"));
    for (const match of text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
      const line = text.slice(0, match.index).split("\n").length;
      const name = `${path.replace(/[^\w]+/g, "-")}-${line}`;
      writeFileSync(`${folder}/${name}.ts`, moduleOf(match[1]));
      imports.push(`import snippet${tests.length} from "./${name}.ts";`);
      tests.push(`test("${path}:${line}", snippet${tests.length});`);
    }
  }
  if (tests.length === 0) continue;
  const head = `import { test } from "vitest";\n${imports.join("\n")}`;
  writeFileSync(`${folder}/${group}.test.ts`, `${head}\n\n${tests.join("\n")}\n`);
  count += tests.length;
}
console.log(`${count} snippets`);
