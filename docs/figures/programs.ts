import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

const docs = new URL("../", import.meta.url);

/**
 * Runs the first program of a page, and gives some of its variables.
 *
 * @param page its path below `docs`
 */
export async function programOf(
  page: string,
  names: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const text = readFileSync(new URL(page, docs), "utf8");
  const [, program] = /^```ts\n([\s\S]*?)^```$/m.exec(text) ?? [];
  if (program === undefined) throw new Error(`programOf: ${page} has no block of TypeScript`);
  const folder = new URL(".vitepress/cache/programs/", docs);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`${page.replaceAll(/\W+/g, "-")}.mjs`, folder);
  const module = `${stripTypeScriptTypes(program)}\nexport { ${names.join(", ")} };\n`;
  writeFileSync(file, module);
  return import(`${file.href}?${Date.now()}`) as Promise<Readonly<Record<string, unknown>>>;
}
