import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { check } from "../../src/commands/check.ts";
import { init } from "../../src/commands/init.ts";
import { folder } from "../files.ts";
import { run } from "../run.ts";

const home = folder();
const before = process.cwd();
beforeAll(() => process.chdir(home));
afterAll(() => process.chdir(before));

test("makes a project whose cell holds, with the packages of this version", async () => {
  const { code, out } = await run(init, "my-cell", "--json");
  expect(code).toBe(0);
  const { files } = JSON.parse(out);
  const written = readdirSync("my-cell", { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(written).toHaveLength(files.length);
  const own = JSON.parse(readFileSync(join(before, "packages/cli/package.json"), "utf8"));
  const { dependencies, name } = JSON.parse(readFileSync("my-cell/package.json", "utf8"));
  expect(name).toBe("my-cell");
  expect(dependencies).toEqual({
    "@chronograd/autodiff": own.version,
    "@chronograd/nn": own.version,
    "@chronograd/rnn": own.version,
    chronograd: own.version,
    jiti: own.dependencies.jiti,
  });
  expect((await run(check, "my-cell/src/cell.ts", "--only", "rules")).code).toBe(0);
});

test("overwrites nothing without force", async () => {
  await run(init, "twice");
  writeFileSync("twice/src/cell.ts", "mine");
  writeFileSync("twice/notes.txt", "mine");
  const { code, err } = await run(init, "twice");
  expect(`${code} ${err.trim()}`).toMatchInlineSnapshot(
    `"2 init: twice exists already; choose another name, or give --force"`,
  );
  expect(readFileSync("twice/src/cell.ts", "utf8")).toBe("mine");
  expect((await run(init, "twice", "--force")).code).toBe(0);
  expect(readFileSync("twice/src/cell.ts", "utf8")).not.toBe("mine");
  expect(readFileSync("twice/notes.txt", "utf8")).toBe("mine");
});

test.each(["../up", "a/b", "My-Cell", ".hidden", "", "node_modules", "a b", "x".repeat(300)])(
  "refuses the name %j",
  async (name) => {
    const { code, err } = await run(init, name);
    expect(code).toBe(2);
    expect(err).toMatch(/^init: the name may hold small letters, digits, .*, got "/);
    expect(name !== "" && existsSync(join(home, name, "package.json"))).toBe(false);
  },
);

test("a file in the place of the folder is told", async () => {
  writeFileSync("taken", "");
  const { code, err } = await run(init, "taken", "--force");
  expect(code).toBe(1);
  expect(err).toMatch(/^init: cannot write the project: /);
});
