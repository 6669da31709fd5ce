import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { RunError, UsageError } from "../command/errors.ts";
import { checkFree } from "../command/writeOutput.ts";
import { projectFiles } from "../init/files.ts";

/** What npm takes as the name of a package without a scope. */
function checkName(name: string): void {
  const isRight =
    /^[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= 214 && name !== "node_modules";
  if (isRight) return;
  throw new UsageError(
    `the name may hold small letters, digits, "-", "_" and ".", and begins with a letter or digit, got ${JSON.stringify(name)}`,
  );
}

/** Makes a new project. */
export const init: Command = defineCommand({
  name: "init",
  summary: "Makes a project: a cell, its test, a training script, and CI.",
  positionals: [
    { name: "name", description: "the name of the project and its folder", required: true },
  ],
  options: z.object({
    name: z.string(),
    force: z
      .boolean()
      .default(false)
      .describe("write into a folder that is there, over files of these names"),
  }),
  examples: ["chronograd init my-cell", "cd my-cell && npm install && npm test && npm run train"],
  async run({ name, force }, io) {
    checkName(name);
    checkFree(name, force);
    const manifest = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    const files = projectFiles(name, { own: manifest.version, jiti: manifest.dependencies.jiti });
    try {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(name, path)), { recursive: true });
        writeFileSync(join(name, path), text);
        io.say(`  ${join(name, path)}`);
      }
    } catch (error) {
      throw new RunError(`cannot write the project: ${(error as Error).message}`);
    }
    io.result({ name, files: Object.keys(files) });
    io.say(`\nnow: cd ${name} && npm install && npm test`);
  },
});
