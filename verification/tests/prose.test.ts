import { describe, expect, test } from "vitest";

const script = new URL("../../scripts/prose.mjs", import.meta.url).href;
const { wrapComments } = (await import(script)) as {
  wrapComments(path: string, text: string): string;
};

const words = (count: number, word = "word") => Array.from({ length: count }, () => word).join(" ");
const wrap = (text: string, path = "file.ts") => wrapComments(path, text);
const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

describe("prose in code", () => {
  test("a long line is broken, and pulls the next one up where it was full", () => {
    const text = `  // ${words(25)}\n  // ${words(25)}\n  // ${words(3)}\nlet x;\n`;
    const wrapped = wrap(text);
    expect(wrapped.split("\n").map((line) => line.split(" word").length - 1)).toEqual([
      19, 19, 15, 0, 0,
    ]);
    expect(wrap(wrapped)).toBe(wrapped);
  });

  test("a line that ended early still ends there", () => {
    const [head, ...rest] = wrap(`// first:\n// ${words(25)}\n`).split("\n");
    expect(head).toBe("// first:");
    expect(rest).toEqual([`// ${words(19)}`, `// ${words(6)}`, ""]);
  });

  test("a docstring of one line becomes one of several", () => {
    expect(wrap(`\t/** ${words(30)} */\n`)).toBe(
      `\t/**\n\t * ${words(19)}\n\t * ${words(11)}\n\t */\n`,
    );
  });

  test("items and tags hang, and do not run into each other", () => {
    const text = `/**\n * - ${words(25)}\n * - ${words(2)}\n * @param x ${words(25)}\n * @throws ${words(2)}\n */\n`;
    expect(wrap(text)).toBe(
      `/**\n * - ${words(19)}\n *   ${words(6)}\n * - ${words(2)}\n * @param x ${words(17)}\n *   ${words(8)}\n * @throws ${words(2)}\n */\n`,
    );
  });

  test.each([
    ["code in an example", `/**\n * \`\`\`ts\n * ${words(30)}\n * \`\`\`\n */\n`],
    ["a table", `/**\n * | ${words(30)} |\n */\n`],
    ["what is aligned", `// ${words(15)}   ${words(15)}\n`],
    ["a directive", `// biome-ignore lint: ${words(30)}\n`],
    ["a link", `// https://example.org/${"x".repeat(100)}\n`],
    [
      "a string",
      `const s = \`\n// ${words(30)}\n\${\`\n// ${words(30)}\n\`}\n/** ${words(30)} */\n\`;\n`,
    ],
    [
      "what follows an expression",
      `const r = /[/"\`]/.test(s) ? \`\n// ${words(30)}\n\` : 1 / 2;\n`,
    ],
    ["a comment behind code", `let x; // ${words(30)}\n`],
    ["what is no wider", `/** ${words(18)} */\n// short\n// lines\n`],
  ])("%s stays as it is", (_, text) => {
    expect(wrap(text)).toBe(text);
  });

  test("after a template and a regular expression comments are found again", () => {
    const text = `f(\`\${{ a: "}" }.a}\`, /\\/\\/[/]\`/);\n// ${words(30)}\n`;
    expect(widest(wrap(text))).toBeLessThanOrEqual(100);
  });

  test("code stays on one line, and no line begins with a bullet", () => {
    const wrapped = wrap(`// ${words(18)} \`a b c d e f g h\` ${words(14)} - 1 ${words(9)} 2. x\n`);
    expect(wrapped).toContain("`a b c d e f g h`");
    expect(wrapped).not.toMatch(/^\/\/ ([-*+]|\d+\.)/m);
    expect(widest(wrapped)).toBeLessThanOrEqual(100);
  });

  test("comments and docstrings of Python", () => {
    const text = `def f():\n    """${words(30)}\n\n    ${words(30)}\n    """\n    # ${words(30)}\n    x = "#  ${words(30)}"\n`;
    const wrapped = wrap(text, "file.py");
    expect(wrapped.split("\n").filter((line) => line.length > 100)).toEqual([
      `    x = "#  ${words(30)}"`,
    ]);
    expect(wrapped.replace(/\s+#?\s*/g, " ")).toBe(text.replace(/\s+#?\s*/g, " "));
  });
});
